// Pays a 402 with a browser wallet (EIP-1193): x402 version 2, scheme `exact`, an EIP-3009 authorisation.

import { data } from "./data.js";
import { WalletError } from "./errors.js";

const REJECTED = 4001;
const UNKNOWN_CHAIN = 4902;
const EARLIER_S = 600; // Clocks differ.
const FIELDS = ["from:address", "to:address", "value:uint256", "validAfter:uint256", "validBefore:uint256", "nonce:bytes32"];
const DOMAIN = ["name:string", "version:string", "chainId:uint256", "verifyingContract:address"];

const announced = [];
window.addEventListener("eip6963:announceProvider", (event) => announced.push(event.detail.provider));
window.dispatchEvent(new Event("eip6963:requestProvider"));

export function findWallet() {
  return window.ethereum ?? announced[0] ?? null;
}

/** What a 402 asks for over x402, or null: `{ required, offer }`. */
export function readOffer(response) {
  const header = response.headers.get("PAYMENT-REQUIRED");
  if (!header) return null;
  const required = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(header), (letter) => letter.charCodeAt(0))));
  const offer = required.accepts.find(({ scheme, network }) => scheme === "exact" && network.startsWith("eip155:"));
  return offer ? { required, offer } : null;
}

/** The header that pays `offer`, signed by whoever holds the wallet. */
export async function sign({ required, offer }) {
  const wallet = findWallet();
  if (!wallet) throw new WalletError("no_wallet");
  try {
    const [payer] = await wallet.request({ method: "eth_requestAccounts" });
    await switchTo(wallet, offer.network);
    const authorization = authorize(payer, offer);
    const typed = JSON.stringify(describe(authorization, offer));
    const signature = await wallet.request({ method: "eth_signTypedData_v4", params: [payer, typed] });
    const payment = { x402Version: 2, resource: required.resource, accepted: offer, payload: { signature, authorization } };
    return { "PAYMENT-SIGNATURE": encode(payment) };
  } catch (error) {
    if (error.code === REJECTED) throw new WalletError("rejected");
    if (error.code === UNKNOWN_CHAIN) throw new WalletError("unknown_chain");
    throw error instanceof WalletError ? error : new WalletError("wallet_failed");
  }
}

/** Has the wallet change to the offer's network, which it is told of where it does not know it. */
async function switchTo(wallet, network) {
  const chain = Number(network.split(":")[1]);
  const chainId = `0x${chain.toString(16)}`;
  if (Number(await wallet.request({ method: "eth_chainId" })) === chain) return;
  try {
    await wallet.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  } catch (error) {
    const known = data.chains[network];
    if (error.code !== UNKNOWN_CHAIN || !known) throw error;
    await wallet.request({ method: "wallet_addEthereumChain", params: [{ chainId, ...known }] });
    if (Number(await wallet.request({ method: "eth_chainId" })) !== chain) throw error; // Added, and not changed to.
  }
}

function authorize(from, offer) {
  const now = Math.floor(Date.now() / 1000);
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  return {
    from,
    to: offer.payTo,
    value: offer.amount,
    validAfter: String(now - EARLIER_S),
    validBefore: String(now + offer.maxTimeoutSeconds),
    nonce: `0x${[...nonce].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`,
  };
}

/** EIP-712, as the token checks it. */
function describe(message, offer) {
  const list = (fields) => fields.map((field) => field.split(":")).map(([name, type]) => ({ name, type }));
  return {
    types: { EIP712Domain: list(DOMAIN), TransferWithAuthorization: list(FIELDS) },
    domain: {
      name: offer.extra.name,
      version: offer.extra.version,
      chainId: Number(offer.network.split(":")[1]),
      verifyingContract: offer.asset,
    },
    primaryType: "TransferWithAuthorization",
    message,
  };
}

function encode(payment) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(payment))));
}
