/** swtpm, a TPM in software: one for each test that asks. @module */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { globSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { unpackedPackages } from '../debian-packages.ts'
import { temporaryFolder } from '../store/engines.ts'

interface Programs {
  /** A folder for PATH, and one for LD_LIBRARY_PATH. */
  readonly path: string
  readonly libraries: string
}

export interface SoftTpm {
  /** The value of TRENT_TPM2_TCTI. */
  readonly tcti: string
  readonly port: number
  /** A value of PATH with which the server finds tpm2-tools. */
  readonly path: string
  /** Runs a command of tpm2-tools, which must succeed. */
  readonly tpm2: (...parameters: readonly string[]) => string
  /** Takes the TPM away. */
  readonly unplug: () => Promise<void>
  /** Brings it back, as after the machine was started again. */
  readonly plugIn: () => Promise<void>
  /** The id of its process, for signals. */
  readonly pid: () => number
}

const found = programs()

/** Why tests with a TPM are skipped; undefined if they can run. */
export const noSoftTpm = typeof found === 'string' ? found : undefined

function programs(): Programs | string {
  const isInstalled = ['tpm2', 'swtpm'].every((each) => spawnSync(each, ['--version']).status === 0)
  if (isInstalled) return { path: '', libraries: '' }
  const packages = ['tpm2-tools', 'swtpm', 'libtss2-tcti-swtpm0']
  const unpacked = unpackedPackages('tpm2', packages)
  if ('why' in unpacked) return unpacked.why
  const libraries = globSync(
    `${unpacked.root}/usr/lib/*/{libtss2-esys.so.0,swtpm/libswtpm_libtpms.so.0}`,
  )
  return {
    path: join(unpacked.root, 'usr/bin'),
    libraries: libraries.map(dirname).join(delimiter),
  }
}

/** Starts a TPM of its own. It ends with the test. */
export async function softTpm(t: TestContext): Promise<SoftTpm> {
  assert.ok(typeof found !== 'string', 'there is no TPM for tests')
  const folder = temporaryFolder(t)
  const path = [found.path, process.env['PATH']].filter(Boolean).join(delimiter)
  const environment = { PATH: path, LD_LIBRARY_PATH: found.libraries }
  // The server gives the tools no variable of its own, and they must find their libraries here.
  const wrapper = `#!/bin/sh\nLD_LIBRARY_PATH='${found.libraries}' PATH='${path}' exec tpm2 "$@"\n`
  writeFileSync(join(folder, 'tpm2'), wrapper, { mode: 0o755 })
  const port = await freePair()
  const tcti = tctiOf(port)
  let running: ChildProcess | undefined
  const unplug = async (): Promise<void> => {
    const ended = running && once(running, 'exit')
    running?.kill('SIGKILL')
    await ended
    running = undefined
  }
  const plugIn = async (): Promise<void> => {
    const at = (which: number): string => `type=tcp,bindaddr=127.0.0.1,port=${which}`
    const state = ['--tpmstate', `dir=${folder}`, '--flags', 'not-need-init,startup-clear']
    const doors = ['--server', at(port), '--ctrl', at(port + 1)]
    running = spawn('swtpm', ['socket', '--tpm2', ...state, ...doors], {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await opened(running, [port, port + 1])
  }
  await plugIn()
  t.after(unplug)
  return {
    tcti,
    port,
    path: [folder, process.env['PATH']].join(delimiter),
    tpm2: (...parameters) =>
      execFileSync('tpm2', parameters, {
        env: { ...environment, TPM2TOOLS_TCTI: tcti },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    unplug,
    plugIn,
    pid: () => running?.pid ?? assert.fail('the TPM is away'),
  }
}

/** Like `softTpm`, and this process finds its tools. */
export async function foundTpm(t: TestContext): Promise<SoftTpm> {
  const tpm = await softTpm(t)
  const before = process.env['PATH']
  process.env['PATH'] = tpm.path
  // Servers that other tests kill leave folders in /dev/shm.
  process.env['RUNTIME_DIRECTORY'] = temporaryFolder(t)
  t.after(() => {
    process.env['PATH'] = before
    delete process.env['RUNTIME_DIRECTORY']
  })
  return tpm
}

/** The handles of objects and sessions in it. */
export function leftIn({ tpm2 }: SoftTpm): readonly string[] {
  const kinds = ['transient', 'loaded-session', 'saved-session']
  const handles = kinds.map((kind) => tpm2('getcap', `handles-${kind}`)).join('')
  return handles.split('\n').filter(Boolean)
}

/** A way to this TPM on which everything is heard, in both directions. */
export async function listenedTo(
  t: TestContext,
  { port: to }: SoftTpm,
): Promise<{ readonly tcti: string; readonly heard: () => Buffer }> {
  const port = await freePair()
  const parts: Buffer[] = []
  for (const which of [0, 1]) {
    const sockets = new Set<Socket>()
    const server = createServer((client) => {
      const upstream = connect(to + which, '127.0.0.1')
      for (const socket of [client, upstream]) {
        sockets.add(
          socket.on('error', () => undefined).on('data', (bytes: Buffer) => parts.push(bytes)),
        )
      }
      client.pipe(upstream).pipe(client)
    }).listen(port + which, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
  }
  return { tcti: tctiOf(port), heard: () => Buffer.concat(parts) }
}

const tctiOf = (port: number): string => `swtpm:host=127.0.0.1,port=${port}`

/** A free port whose next one is free too: the tools expect the control channel there. */
async function freePair(): Promise<number> {
  for (;;) {
    const first = createServer().listen(0, '127.0.0.1')
    await once(first, 'listening')
    const { port } = first.address() as AddressInfo
    const second = createServer().listen(port + 1, '127.0.0.1')
    const isFree = await once(second, 'listening').then(
      () => true,
      () => false,
    )
    first.close()
    second.close()
    if (isFree) return port
  }
}

const startMaxMs = 60_000

/** Waits until each of its ports takes connections. */
async function opened(tpm: ChildProcess, ports: readonly number[]): Promise<void> {
  let errors = ''
  tpm.stderr?.on('data', (text: Buffer) => (errors = `${errors}${text.toString()}`.slice(-2000)))
  const giveUpAt = performance.now() + startMaxMs
  for (const port of ports) {
    while (!(await isOpen(port))) {
      if (tpm.exitCode === null && performance.now() < giveUpAt) await delay(20)
      else throw new Error(`swtpm does not start: ${errors}`)
    }
  }
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const isConnected = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return isConnected
}
