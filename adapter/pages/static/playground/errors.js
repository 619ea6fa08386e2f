// What can go wrong: each is said in words of the page's own.

/** A file cannot be taken; the message is the name of its words. */
export class Unusable extends Error {}

/** A wallet did not pay; the message is the name of its words. */
export class WalletError extends Error {}

/** An answer that is no result: its status, and the service's own sentence. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}
