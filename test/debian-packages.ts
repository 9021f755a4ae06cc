/**
 * Programs of Debian that tests need, without root: the packages are downloaded once and unpacked into
 * `.cache/debian/`. On other systems there are none, and the tests that need them are skipped.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../.cache/debian')
const commandMsMax = 120_000

type Unpacked = { readonly root: string } | { readonly why: string }

/**
 * Unpacks packages, with those that they need and that are not installed here.
 * @param name of the folder in the cache
 * @returns the folder that stands for `/`, which is `/` itself if all are installed, or why there is none
 */
export function unpackedPackages(name: string, packages: readonly string[]): Unpacked {
  return unpacked(name, packages, (run) => {
    const plan = run('apt-get', ['--simulate', '--no-install-recommends', 'install', ...packages])
    // A line of a package that would be upgraded has its former version here, in brackets.
    return [...plan.matchAll(/^Inst (\S+) \(/gm)].map(([, each = '']) => each)
  })
}

/**
 * Unpacks packages of one source in another version than the one that is installed.
 * @returns the folder that stands for `/`, or why there is none
 */
export function otherVersionOf(packages: readonly [string, ...string[]]): Unpacked {
  const [first] = packages
  let version: string | undefined
  try {
    const run = runIn('/')
    const installed = run('dpkg-query', ['--show', '--showformat=${Version}', first])
    const known = run('apt-cache', ['madison', first]).split('\n')
    version = known
      .map((line) => line.split('|')[1]?.trim() ?? '')
      .find((each) => each !== '' && each !== installed)
  } catch (error) {
    return { why: `this system does not know ${first}: ${lastLineOf(error)}` }
  }
  if (version === undefined) return { why: `this system knows one version of ${first} only` }
  const wanted = packages.map((each) => `${each}=${version}`)
  return unpacked(`${first}_${version.replaceAll(/[^\w.+-]/g, '_')}`, wanted, () => wanted)
}

type Run = (program: string, parameters: readonly string[]) => string

const runIn =
  (cwd: string): Run =>
  (program, parameters) =>
    execFileSync(program, parameters, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: commandMsMax,
    })

/** @param missingOf those of them to download */
function unpacked(
  name: string,
  packages: readonly string[],
  missingOf: (run: Run) => readonly string[],
): Unpacked {
  const root = join(folder, name)
  if (existsSync(root)) return { root }
  mkdirSync(folder, { recursive: true })
  const partial = mkdtempSync(join(folder, 'partial-'))
  const run = runIn(partial)
  try {
    const missing = missingOf(run)
    if (missing.length === 0) return { root: '/' }
    run('apt-get', ['download', ...missing])
    for (const file of readdirSync(partial).filter((each) => each.endsWith('.deb'))) {
      run('dpkg-deb', ['-x', file, 'root'])
    }
    renameSync(join(partial, 'root'), root)
    return { root }
  } catch (error) {
    // Another test file may have unpacked the same packages at this moment.
    if (existsSync(root)) return { root }
    return {
      why: `Debian's packages ${packages.join(', ')} cannot be had here: ${lastLineOf(error)}`,
    }
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

/** What the program wrote last says more than that it failed. */
function lastLineOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.trim().split('\n').at(-1) ?? ''
}
