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

/**
 * Unpacks packages, with those that they need and that are not installed here.
 * @param name of the folder in the cache
 * @returns the folder that stands for `/`, which is `/` itself if all are installed, or why there is none
 */
export function unpackedPackages(
  name: string,
  packages: readonly string[],
): { readonly root: string } | { readonly why: string } {
  const root = join(folder, name)
  if (existsSync(root)) return { root }
  mkdirSync(folder, { recursive: true })
  const partial = mkdtempSync(join(folder, 'partial-'))
  const run = (program: string, parameters: readonly string[]): string =>
    execFileSync(program, parameters, {
      cwd: partial,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: commandMsMax,
    })
  try {
    const plan = run('apt-get', ['--simulate', '--no-install-recommends', 'install', ...packages])
    // A line of a package that would be upgraded has its former version here, in brackets.
    const missing = [...plan.matchAll(/^Inst (\S+) \(/gm)].map(([, each = '']) => each)
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
    // What the program wrote last says more than that it failed.
    const text = error instanceof Error ? error.message : String(error)
    const line = text.trim().split('\n').at(-1)
    return { why: `Debian's packages ${packages.join(', ')} cannot be had here: ${line}` }
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}
