/** Checks the addresses of the listeners, and the certificates that they have. @module */
import { connect, createServer } from 'node:net'
import type { Config } from '../../config.ts'
import { codeOf } from '../../disk/error-code.ts'
import { isLoopback } from '../../model/address.ts'
import { readTls } from '../../tls/read-files.ts'
import { failureOf, ok, skipped, type Outcome } from './finding.ts'
import type { Running } from './running.ts'

interface Address {
  readonly host: string
  readonly port: number
}

function addressesOf({ listen, xksProxy, unsealListen }: Config): [setting: string, at: Address][] {
  return [
    ['TRENT_LISTEN', listen],
    ...(xksProxy ? [['TRENT_XKS_PROXY_LISTEN', xksProxy.listen] as [string, Address]] : []),
    ...(unsealListen ? [['TRENT_UNSEAL_LISTEN', unsealListen] as [string, Address]] : []),
  ]
}

export async function portOutcomes(config: Config, running: Running): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const [setting, at] of addressesOf(config)) {
    const place = `${setting}: ${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`
    if (at.port === 0) outcomes.push(ok(`${place} is any free port`))
    else if (running.kind === 'unknown') outcomes.push(skipped(`${place} may be the server's`))
    else outcomes.push(await (running.kind === 'stopped' ? free : answered)(place, at))
  }
  return outcomes
}

/** Listens there for a moment, which tells more than a connection: the address may not be this machine's. */
async function free(place: string, { host, port }: Address): Promise<Outcome> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, exclusive: true }, resolve)
    })
    return ok(`${place} is free`)
  } catch (error) {
    const code = codeOf(error) ?? ''
    const { found, todo } = reasons[code] ?? {
      found: `cannot be used (${code})`,
      todo: 'correct the address',
    }
    return { state: 'failed', found: `${place} ${found}`, todo }
  } finally {
    server.close()
  }
}

const reasons: Readonly<Record<string, { readonly found: string; readonly todo: string }>> = {
  EADDRINUSE: {
    found: 'is in use by another program',
    todo: 'end that program (`ss -ltnp` shows it), or set another port',
  },
  EADDRNOTAVAIL: {
    found: 'is not an address of this machine',
    todo: 'set one that `ip address` shows',
  },
  EACCES: {
    found: 'is a port that this user may not use',
    todo: 'set a port above 1023, or give the server CAP_NET_BIND_SERVICE',
  },
}

const connectMaxMs = 5000

function answered(place: string, { host, port }: Address): Promise<Outcome> {
  const todo = 'the server runs with other settings: restart it, or name its settings with --config'
  return new Promise((resolve) => {
    const socket = connect({ host: anyAddresses[host] ?? host, port, timeout: connectMaxMs })
    const end = (outcome: Outcome): void => {
      socket.destroy()
      resolve(outcome)
    }
    const fail = (): void => end({ state: 'failed', found: `${place} does not answer`, todo })
    socket.on('connect', () => end(ok(`${place} answers`)))
    socket.on('timeout', fail)
    socket.on('error', fail)
  })
}

const anyAddresses: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** Certificates are renewed by then, where something renews them. */
const soonMs = 14 * 86_400_000

/** @param now milliseconds since the epoch */
export async function tlsOutcomes(config: Config, now: number): Promise<readonly Outcome[]> {
  const { listen, tls, xksProxy, unsealListen, trustedProxies } = config
  const outcomes: Outcome[] = []
  for (const paths of [tls, xksProxy?.tls, unsealListen?.tls]) {
    if (paths === undefined) continue
    try {
      const { expiresAt } = await readTls(paths, now)
      const found = `${paths.cert} is valid until ${new Date(expiresAt).toISOString()}`
      const todo = 'renew it; SIGHUP has the server read the new files'
      outcomes.push(expiresAt - now < soonMs ? { state: 'warning', found, todo } : ok(found))
    } catch (error) {
      outcomes.push(failureOf(error, 'correct the files: docs/operations/tls.md'))
    }
  }
  if (tls !== undefined) return outcomes
  if (isLoopback(listen.host) || trustedProxies.length > 0) {
    return [ok('TRENT_LISTEN: plain HTTP, on loopback or behind trusted proxies'), ...outcomes]
  }
  const found = `TRENT_LISTEN: plain HTTP on ${listen.host}: others on the network read what passes`
  const todo = 'set TRENT_TLS_CERT and TRENT_TLS_KEY, or put a proxy in front'
  return [{ state: 'warning', found, todo }, ...outcomes]
}
