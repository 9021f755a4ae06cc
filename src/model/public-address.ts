/**
 * Decides which IP addresses are public. Addresses of this machine, of its networks or of no single
 * host are not, so that a caller that names a host cannot make Trent send requests there.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 * @module
 */
import { promises, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

const special = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  special.addSubnet(network, prefix, 'ipv4')
}
/** IPv6: only the globally routed range, without the parts that wrap or tunnel IPv4 addresses. */
const global = new BlockList()
global.addSubnet('2000::', 3, 'ipv6')
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  special.addSubnet(network, prefix, 'ipv6')
}

/** @param address an IP address as resolvers write it */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !special.check(address, 'ipv4')
  return family === 6 && global.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

/** The name leads to an address that is not public. */
export class PrivateAddress extends Error {}

type Family = LookupOptions['family']

/** Milliseconds for one question to one name server, and how often it is asked. */
const questionMs = 1000
const questionsMax = 2

/**
 * Makes the lookup of a connection. It refuses names with private and public addresses as well.
 *
 * INVARIANT (no thread for a caller): the name servers are asked directly, and not through the resolver of
 * the operating system. The latter holds one of two threads that the whole process has for lookups, for as
 * long as a name server keeps silent, and callers choose the names.
 * @param servers addresses of name servers; those of the operating system by default
 */
export function createPublicLookup(servers?: readonly string[]): LookupFunction {
  // Many calls to one host ask once: each question holds a socket while a name server keeps silent.
  const running = new Map<string, Promise<readonly LookupAddress[]>>()
  const asked = (hostname: string, family: Family): Promise<readonly LookupAddress[]> => {
    const name = `${family}/${hostname}`
    const known = running.get(name)
    if (known !== undefined) return known
    const found = addressesOf(hostname, { servers, family }).finally(() => running.delete(name))
    running.set(name, found)
    return found
  }
  return async (hostname, { all = false, family }, callback) => {
    let addresses: readonly LookupAddress[]
    try {
      addresses = await asked(hostname, family)
    } catch (error) {
      return callback(error as NodeJS.ErrnoException, []) // resolvers throw nothing else
    }
    const [first] = addresses
    if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
      callback(new PrivateAddress(`${hostname} has a private address`), [])
    } else if (all) callback(null, [...addresses])
    else callback(null, first.address, first.family)
  }
}

/** Asks the name servers of the operating system. */
export const lookupPublic = createPublicLookup()

/** Names that no name server knows. Some programs read a name that ends in a number as an address. */
function isOfThisMachine(hostname: string): boolean {
  return /(?:^|\.)(?:localhost|\d+|0x[\da-f]*)\.?$/i.test(hostname)
}

/** Those of IPv4 first: not every machine that has IPv6 reaches the internet by it. */
async function addressesOf(
  hostname: string,
  {
    servers,
    family,
  }: {
    readonly servers: readonly string[] | undefined
    readonly family: Family
  },
): Promise<readonly LookupAddress[]> {
  if (isOfThisMachine(hostname)) return []
  // One for each name, so that a change of the operating system's name servers is noticed.
  const resolver = new promises.Resolver({ timeout: questionMs, tries: questionsMax })
  if (servers !== undefined) resolver.setServers(servers)
  const answers = await Promise.allSettled([
    family === 6 || family === 'IPv6' ? [] : resolver.resolve4(hostname),
    family === 4 || family === 'IPv4' ? [] : resolver.resolve6(hostname),
  ])
  const addresses = answers.flatMap((answer, index) =>
    answer.status === 'fulfilled'
      ? answer.value.map((address) => ({ address, family: index === 0 ? 4 : 6 }))
      : [],
  )
  const failed = answers.find((answer) => answer.status === 'rejected')
  if (addresses.length === 0 && failed !== undefined) throw failed.reason
  return addresses
}
