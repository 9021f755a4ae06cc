/**
 * The Python programs that the tests run as their users do: the AWS CLI, boto3, the AWS Encryption SDK and
 * moto, in a virtual environment under `.cache` that the first test to need it makes.
 * @module
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = join(import.meta.dirname, '..', '..', '.cache')
const requirements = join(import.meta.dirname, 'requirements.txt')

/** Where the clients are, or why there are none here: the reason that the tests are skipped with. */
export type PythonClients =
  | { readonly bin: string; readonly skip: false }
  | { readonly bin: ''; readonly skip: string }

/** Makes the environment once a set of requirements and Python; later calls find it. */
export async function pythonClients(): Promise<PythonClients> {
  try {
    const folder = join(cache, `python-${await fingerprint()}`)
    if (!(await exists(folder))) await inTurn(`${folder}.lock`, () => make(folder))
    return { bin: join(folder, 'bin'), skip: false }
  } catch (error) {
    const reason = whatIsMissing(error)
    if (reason === undefined) throw error
    return { bin: '', skip: reason }
  }
}

/** Of the requirements and of the Python that the environment leans on: another of either, another folder. */
async function fingerprint(): Promise<string> {
  const ask = 'import sys, platform; print(sys.version, sys.base_prefix, platform.machine())'
  const python = await step('Python 3', 'python3', ['-c', ask])
  const hash = createHash('sha256').update(await readFile(requirements))
  return hash.update(python).digest('hex').slice(0, 16)
}

/** Builds aside and renames, so that a folder of the final name is always whole. */
async function make(folder: string): Promise<void> {
  if (await exists(folder)) return
  const aside = await mkdtemp(`${folder}.part-`)
  try {
    await step('venv of Python 3', 'python3', ['-m', 'venv', aside])
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--quiet']
    const exactly = ['--require-hashes', '--only-binary', ':all:', '--retries', '2']
    await step('packages of PyPI for this Python', join(aside, 'bin', 'python'), [
      ...pip,
      ...exactly,
      '-r',
      requirements,
    ])
    // The script that pip writes names the folder it was made in, which is about to have another name.
    const aws = '#!/bin/sh\nexec "$(dirname "$0")/python" -m awscli "$@"\n'
    await writeFile(join(aside, 'bin', 'aws'), aws)
    await rename(aside, folder)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    // Another process was first: its folder is as good.
    if (!(await exists(folder))) throw error
  }
}

/** Keeps two test files from building at once. It only saves work: each builds in a folder of its own. */
async function inTurn(lock: string, work: () => Promise<void>): Promise<void> {
  await mkdir(cache, { recursive: true })
  for (let tries = 1; !(await taken(lock)); tries += 1) {
    await sleep(200)
    // A holder has a moment to write its process id; one that is dead leaves its turn to us.
    if (tries % 10 === 0 && !(await holderIsAlive(lock)))
      await rm(lock, { recursive: true, force: true })
  }
  try {
    await work()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    await mkdir(lock)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
  await writeFile(join(lock, 'pid'), String(process.pid))
  return true
}

async function holderIsAlive(lock: string): Promise<boolean> {
  try {
    return process.kill(Number(await readFile(join(lock, 'pid'), 'utf8')), 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

class StepFailed extends Error {
  readonly needs: string

  constructor(needs: string, cause: unknown) {
    super(`${needs}: ${lastLine(cause)}`, { cause })
    this.needs = needs
  }
}

async function step(needs: string, command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(command, [...args], {
      env: { ...process.env, PYTHONHOME: undefined },
    })
    return stdout
  } catch (error) {
    throw new StepFailed(needs, error)
  }
}

/** Undefined for what nobody's machine excuses: a bug here, or a package that is not the one we named. */
function whatIsMissing(error: unknown): string | undefined {
  if (!(error instanceof StepFailed)) return undefined
  if (/DO NOT MATCH THE HASHES|--require-hashes/.test(outputOf(error.cause))) return undefined
  return `no Python clients, for want of ${error.message}`
}

function lastLine(error: unknown): string {
  return outputOf(error).trim().split('\n').at(-1) ?? ''
}

function outputOf(error: unknown): string {
  const { stderr, stdout } = error as { stderr?: string; stdout?: string }
  return stderr?.trim() || stdout?.trim() || String(error)
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
