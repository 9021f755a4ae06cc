/**
 * Other KMS servers that are measured in the same run. They are installed from their registries into a cache
 * directory outside of the tree. A peer that cannot be installed or started is left out, and the run says so.
 * @module
 */
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { makeDirectory, serverOf, type Server } from './servers.ts'

const run = promisify(execFile)
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'trent-bench')
const installTimeoutMs = 10 * 60_000
const startTimeoutMs = 30_000

interface Peer {
  readonly version: string
  /** What it does not do, although Trent does. */
  readonly leavesOut: string
  /** Installs the version into `directory`. */
  readonly install: (directory: string, version: string) => Promise<void>
  readonly program: string
  readonly start: (port: number, data: string) => Start
}

interface Start {
  readonly arguments: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const fromPyPI =
  (name: string, ...others: readonly string[]): Peer['install'] =>
  async (directory, version) => {
    await run('python3', ['-m', 'venv', directory], { timeout: installTimeoutMs })
    const pip = join(directory, 'bin', 'pip')
    await run(pip, ['install', '--quiet', `${name}==${version}`, ...others], {
      timeout: installTimeoutMs,
    })
  }

export const peers: Readonly<Record<string, Peer>> = {
  'local-kms': {
    version: 'v0.0.0-20260228092603-2a5e92d09ab6',
    leavesOut:
      'checks no signatures, authorizes nothing, has no audit records, syncs no change to disk, and stores keys in plaintext',
    async install(directory, version) {
      const module = `github.com/nsmithuk/local-kms@${version}`
      const env = { ...process.env, GOBIN: join(directory, 'bin') }
      await run('go', ['install', module], { env, timeout: installTimeoutMs })
    },
    program: 'local-kms',
    start: (port, data) => ({
      arguments: [],
      env: { PORT: String(port), KMS_DATA_PATH: data, KMS_REGION: 'us-west-2' },
    }),
  },
  ministack: {
    version: '1.5.33',
    leavesOut:
      'by default checks no signatures and authorizes nothing; has no audit records, keeps keys in memory, and encrypts by XOR with a hash',
    install: fromPyPI('ministack', 'cryptography==50.0.2'),
    program: 'ministack',
    start: (port) => ({
      arguments: [],
      env: { GATEWAY_PORT: String(port), BIND_HOST: '127.0.0.1', LOG_LEVEL: 'WARNING' },
    }),
  },
  moto: {
    version: '5.2.5',
    leavesOut:
      'by default checks no signatures and authorizes nothing; has no audit records, keeps keys in memory, and closes the connection after each answer',
    install: fromPyPI('moto[server]'),
    program: 'moto_server',
    start: (port) => ({ arguments: ['-H', '127.0.0.1', '-p', String(port)], env: {} }),
  },
}

/** Installs a peer if it is missing, and starts it. @throws with the reason if that fails */
export async function startPeer(name: string): Promise<Server> {
  const peer = peers[name]
  if (peer === undefined) throw new Error(`there are ${Object.keys(peers).join(', ')}`)
  const directory = join(cache, `${name}-${peer.version}`)
  const program = join(directory, 'bin', peer.program)
  if (!existsSync(program)) {
    mkdirSync(directory, { recursive: true })
    await peer.install(directory, peer.version)
  }
  const port = await freePort()
  const data = makeDirectory()
  const { arguments: given, env } = peer.start(port, data)
  const child = spawn(program, given, {
    cwd: data,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], HOME: data, ...env },
  })
  const server = serverOf(child, port)
  const from = performance.now()
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error('it ended before it served')
    if (performance.now() - from > startTimeoutMs) throw new Error('it does not serve')
    await delay(100)
  }
  return server
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        resolve(typeof address === 'object' ? (address?.port ?? 0) : 0)
      })
    })
  })
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    const settle = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => {
      settle(true)
    })
    socket.once('error', () => {
      settle(false)
    })
  })
}
