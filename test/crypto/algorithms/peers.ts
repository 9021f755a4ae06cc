/**
 * Other implementations, if the machine has them: OpenSSL's command line, Go, and Python's `cryptography`,
 * which is installed under `.cache/` if possible.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const here = import.meta.dirname
const environment = join(here, '..', '..', '..', '.cache', 'python-cryptography')

export interface PeerCase {
  readonly action: 'sign' | 'verify' | 'encapsulate' | 'decapsulate'
  readonly scheme: 'ecdsa' | 'pss' | 'pkcs1' | 'plain' | 'ed25519ph'
  readonly hash?: string
  readonly digest?: boolean
  readonly data: Readonly<Record<string, Uint8Array>>
}

/** Sends the cases to the peer and returns its answer to each. */
export type Peer = (cases: readonly PeerCase[]) => readonly string[]

/** The peer, or why there is none: a test without its peer is skipped with that reason. */
export type Found<P> = { readonly peer: P; readonly skip: false } | { readonly skip: string }

/** The peer, in a test that is not skipped. */
export function present<P>(found: Found<P>): P {
  assert(found.skip === false)
  return found.peer
}

/** Runs `openssl` in a folder that holds the files given, and answers its standard output. */
export type OpenSsl = (files: Readonly<Record<string, Uint8Array>>, ...args: string[]) => Buffer

export function findOpenSsl(): Found<OpenSsl> {
  if (!runs('openssl', ['version'])) return { skip: 'no openssl on this machine' }
  return { peer: runOpenSsl, skip: false }
}

export function findGo(): Found<Peer> {
  if (!runs('go', ['version'])) return { skip: 'no go on this machine' }
  return { peer: (cases) => ask('go', ['run', join(here, 'peer.go')], cases), skip: false }
}

export function findPython(): Found<Peer> {
  const imports = ['-c', 'from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem']
  const own = join(environment, 'bin', 'python')
  const pip = ['-m', 'pip', 'install', '--quiet', 'cryptography==48.0.0']
  const installed = (): boolean =>
    runs('python3', ['-m', 'venv', environment]) && runs(own, pip) && runs(own, imports)
  for (const python of ['python3', own]) {
    if (runs(python, imports)) return { peer: (cases) => askPython(python, cases), skip: false }
  }
  if (installed()) return { peer: (cases) => askPython(own, cases), skip: false }
  return { skip: 'no python3 with cryptography 48 on this machine, and it cannot be installed' }
}

function askPython(python: string, cases: readonly PeerCase[]): readonly string[] {
  return ask(python, [join(here, 'peer.py')], cases)
}

function ask(
  command: string,
  args: readonly string[],
  cases: readonly PeerCase[],
): readonly string[] {
  const input = cases.map((each) => ({
    ...each,
    data: Object.fromEntries(
      Object.entries(each.data).map(([name, bytes]) => [
        name,
        Buffer.from(bytes).toString('base64'),
      ]),
    ),
  }))
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOWORK: 'off' }
  const output = execFileSync(command, args, { input: JSON.stringify(input), env, cwd: here })
  const answers = JSON.parse(output.toString()) as readonly string[]
  assert.equal(answers.length, cases.length)
  return answers
}

function runOpenSsl(files: Readonly<Record<string, Uint8Array>>, ...args: string[]): Buffer {
  const cwd = mkdtempSync(join(tmpdir(), 'trent-openssl-'))
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(cwd, name), bytes)
    return execFileSync('openssl', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

function runs(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 60_000 })
    return true
  } catch {
    return false
  }
}
