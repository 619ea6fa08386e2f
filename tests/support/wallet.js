// The page's side of the wallet in wallet.py: at the place that EIP-1193 names, and announced as EIP-6963 asks.
{
  const listeners = new Map()
  const of = (event) => listeners.get(event) ?? []

  const provider = {
    on(event, listener) {
      listeners.set(event, [...of(event), listener])
      return provider
    },
    removeListener(event, listener) {
      listeners.set(event, of(event).filter((other) => other !== listener))
      return provider
    },
    async request({ method, params = [] }) {
      const { result, error } = await window.testWallet(method, params)
      if (error) throw Object.assign(new Error(error.message), { code: error.code })
      if (method === 'wallet_switchEthereumChain') of('chainChanged').forEach((tell) => tell(params[0].chainId))
      return result
    },
  }

  const info = { uuid: crypto.randomUUID(), name: 'Test Wallet', icon: 'data:image/svg+xml,<svg/>', rdns: 'test.wallet' }
  const detail = Object.freeze({ info, provider })
  const announce = () => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
  window.ethereum = provider
  window.addEventListener('eip6963:requestProvider', announce)
  announce()
}
