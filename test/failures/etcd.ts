/** etcd, in which Patroni keeps who leads. @module */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freeLoopbackPort } from '../free-port.ts'
import { isRunning, lastLines, runLogged } from './processes.ts'

/** The most time for a start of etcd, in milliseconds, on a machine with much else to do. */
const etcdStartMaxMs = 60_000

/** Starts etcd, and waits until it is ready for Patroni. */
export async function startEtcd(
  program: string,
  folder: string,
  port: number,
): Promise<ChildProcess> {
  const log = join(folder, 'etcd.log')
  const etcd = runLogged(log, etcdCommand(program, folder, port, await freeLoopbackPort()), {
    ETCD_UNSUPPORTED_ARCH: process.arch === 'arm64' ? 'arm64' : '',
  })
  const giveUpAt = performance.now() + etcdStartMaxMs
  while (!(await isDecided(port))) {
    if (!isRunning(etcd) || performance.now() > giveUpAt) {
      etcd.kill('SIGKILL')
      throw new Error(`etcd does not start: ${lastLines(log)}`)
    }
    await sleep(50)
  }
  return etcd
}

/** Until etcd has decided on the version of its cluster, it answers `not_decided`, and Patroni ends at its start. */
async function isDecided(port: number): Promise<boolean> {
  const answerOf = async (path: string): Promise<Readonly<Record<string, unknown>>> => {
    const signal = AbortSignal.timeout(5000)
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal })
    return (await answer.json()) as Readonly<Record<string, unknown>>
  }
  try {
    const { etcdcluster } = await answerOf('/version')
    const { health } = await answerOf('/health')
    return /^\d+\.\d+/.test(String(etcdcluster)) && health === 'true'
  } catch {
    return false
  }
}

function etcdCommand(
  program: string,
  folder: string,
  clients: number,
  peers: number,
): readonly string[] {
  const url = (port: number): string => `http://127.0.0.1:${port}`
  const options = {
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': url(clients),
    'advertise-client-urls': url(clients),
    'listen-peer-urls': url(peers),
    'initial-advertise-peer-urls': url(peers),
    'initial-cluster': `default=${url(peers)}`,
  }
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  return ['setpriv', '--pdeathsig=KILL', program, ...words, '--unsafe-no-fsync']
}
