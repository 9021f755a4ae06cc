/**
 * Virtual environments of Python that tests need, under `.cache`. The first test that needs one makes it. A machine
 * that lacks something, or cannot reach PyPI, gets a reason to skip the tests.
 * @module
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = join(import.meta.dirname, '..', '.cache')

/** Where the programs are, or why there are none here. */
export type PythonPrograms =
  | { readonly bin: string; readonly skip: false }
  | { readonly bin: ''; readonly skip: string }

export interface PythonPackages {
  /** For the reason to skip: `Python clients`. */
  readonly what: string
  /** The path of the file that names each package, with hashes. */
  readonly requirements: string
  /** Scripts to write to `bin`, by their names. Those of pip name the folder where they were made. */
  readonly scripts?: Readonly<Record<string, string>>
}

/** Makes the environment once for a set of requirements and a Python; later calls find it. */
export async function pythonPrograms(packages: PythonPackages): Promise<PythonPrograms> {
  try {
    const folder = join(cache, `python-${await fingerprint(packages)}`)
    if (!(await exists(folder))) await inTurn(`${folder}.lock`, () => make(folder, packages))
    return { bin: join(folder, 'bin'), skip: false }
  } catch (error) {
    const reason = whatIsMissing(error)
    if (reason === undefined) throw error
    return { bin: '', skip: `no ${packages.what}, for want of ${reason}` }
  }
}

/** Other requirements or another Python give another folder. */
async function fingerprint({ requirements }: PythonPackages): Promise<string> {
  const ask = 'import sys, platform; print(sys.version, sys.base_prefix, platform.machine())'
  const python = await step('Python 3', 'python3', ['-c', ask])
  const hash = createHash('sha256').update(await readFile(requirements))
  return hash.update(python).digest('hex').slice(0, 16)
}

/** Builds aside and renames, so that a folder of the final name is always whole. */
async function make(folder: string, { requirements, scripts = {} }: PythonPackages): Promise<void> {
  if (await exists(folder)) return
  const aside = await mkdtemp(`${folder}.part-`)
  try {
    // A test may run the environment as another user.
    await chmod(aside, 0o755)
    await step('venv of Python 3', 'python3', ['-m', 'venv', aside])
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--quiet']
    const exactly = ['--require-hashes', '--only-binary', ':all:', '--retries', '2']
    await step('packages of PyPI for this Python', join(aside, 'bin', 'python'), [
      ...pip,
      ...exactly,
      '-r',
      requirements,
    ])
    for (const [name, text] of Object.entries(scripts)) {
      await writeFile(join(aside, 'bin', name), text, { mode: 0o755 })
    }
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
  return error.message
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
