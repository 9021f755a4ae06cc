/**
 * Finds the real origin of a request from what trusted proxies report. Only listed proxies are
 * believed, because anyone else could claim any address.
 * @module
 */
import { BlockList, isIP } from 'node:net'
import { isLoopback, readAddress, sourceOf } from '../model/address.ts'
import { headerValues } from './headers.ts'

/** Whether an address belongs to a listed proxy. */
export type IsTrusted = (address: string) => boolean

/** The origin of a request or a connection. */
export interface ConnectionOrigin {
  readonly address: string
  /** The unit that limits count by: `sourceOf` of the address. */
  readonly source: string
  /** True when nobody on the way could read the request: it came over TLS, or never left this machine. */
  readonly secure: boolean
}

const proxiesMax = 64
/** Proxies that one request may have passed. */
const hopsMax = 16

/**
 * Parses a list of addresses and networks: `10.0.0.5,10.1.0.0/16,fd00::/8`.
 * @throws {RangeError} that names the entry
 */
export function parseProxies(text: string): readonly string[] {
  const entries = text.split(',').map((entry) => entry.trim())
  if (entries.length > proxiesMax) throw new RangeError(`more than ${proxiesMax} entries`)
  for (const entry of entries) {
    const [address = '', prefix, ...more] = entry.split('/')
    const family = address.includes('%') ? 0 : isIP(address)
    const bits = family === 4 ? 32 : 128
    const fits =
      prefix === undefined ||
      (/^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= bits)
    if (family === 0 || !fits || more.length > 0) {
      throw new RangeError(`\`${entry}\` is not an IP address or network`)
    }
  }
  return entries
}

/** @param proxies the result of `parseProxies` */
export function trusting(proxies: readonly string[]): IsTrusted {
  if (proxies.length === 0) return () => false
  const list = new BlockList()
  for (const entry of proxies) {
    const [address = '', prefix] = entry.split('/')
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return (address) => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
}

/**
 * Whether a call from an address would count as secure, for questions about hypothetical calls. Calls
 * through a listed proxy are assumed to have reached it over TLS.
 * @param address undefined when it is not known
 */
export function securityOf(settings: {
  readonly listen: { readonly host: string }
  readonly trustedProxies: readonly string[]
  readonly tls?: unknown
}): (address: string | undefined) => boolean {
  const always =
    settings.tls !== undefined ||
    isLoopback(settings.listen.host) ||
    settings.trustedProxies.length > 0
  return (address) => always || (address !== undefined && isLoopback(address))
}

/**
 * Follows `X-Forwarded-For` from its end, while the address that wrote an entry is trusted. Undefined
 * when a trusted proxy reports something that is not an address: the source is unknown then.
 */
export function originOf(
  connection: ConnectionOrigin,
  rawHeaders: readonly string[],
  isTrusted: IsTrusted,
): ConnectionOrigin | undefined {
  if (!isTrusted(connection.address)) return connection
  const forwarded = headerValues(rawHeaders, 'x-forwarded-for')
  const schemes = headerValues(rawHeaders, 'x-forwarded-proto')
  // The proxy's machine makes a request of its own.
  if (forwarded.length === 0 && schemes.length === 0) return connection
  const entries = forwarded.length === 0 ? [] : forwarded.join(',').split(',')
  let { address } = connection
  for (let hops = 0; entries.length > 0 && isTrusted(address); hops += 1) {
    const next = readEntry(entries.pop() ?? '')
    if (next === undefined || hops === hopsMax) return undefined
    address = next
  }
  const said = schemes.join(',').split(',')
  // Without the header, `said` is one empty text: nothing says that the client used TLS.
  const secure = said.every((scheme) => scheme.trim().toLowerCase() === 'https')
  return { address, source: sourceOf(address), secure }
}

/** `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:443`. */
function readEntry(text: string): string | undefined {
  const entry = text.trim()
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([0-9.]+))(?::\d{1,5})?$/.exec(entry) ?? []
  return readAddress(bracketed ?? plain ?? entry)
}
