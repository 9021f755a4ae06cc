/**
 * Programs of Debian that tests need, without root: the packages are downloaded once and unpacked into
 * `.cache/debian/`. On other systems there are none, and the tests that need them are skipped.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../.cache/debian')

/** Returns the folder that stands for `/`; undefined if the packages cannot be had here. */
export function unpackedPackages(
  name: string,
  packages: readonly string[],
): { readonly root: string } | { readonly why: string } {
  const root = join(folder, name)
  if (existsSync(root)) return { root }
  mkdirSync(folder, { recursive: true })
  const partial = mkdtempSync(join(folder, 'partial-'))
  try {
    const options = { cwd: partial, stdio: 'ignore', timeout: 120_000 } as const
    execFileSync('apt-get', ['download', ...packages], options)
    for (const file of readdirSync(partial).filter((each) => each.endsWith('.deb'))) {
      execFileSync('dpkg-deb', ['-x', file, 'root'], options)
    }
    // Another test file may have unpacked the same packages at this moment.
    if (!existsSync(root)) renameSync(join(partial, 'root'), root)
    return { root }
  } catch {
    return { why: `Debian's packages ${packages.join(', ')} cannot be downloaded here` }
  }
}
