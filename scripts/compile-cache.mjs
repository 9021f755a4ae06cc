// Lets Node keep compiled code from one start to the next. `--import` loads this file before Trent, in
// the process and in each of its threads. Without the cache, a start takes twice the CPU time.
//
// INVARIANT (own code only): whoever can write the cache can run code in the server. So it is in the
// home directory, and nobody but this user and root can write there or replace a directory above it.
// Otherwise there is no cache. See docs/adr/0034-compile-cache.md.
import { lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

const writableByOthers = 0o022
const anyAccessByOthers = 0o077
/** In a directory with this bit, users can replace only what they own. */
const sticky = 0o1000

try {
  const directory = join(realpathSync(homedir()), '.cache', 'trent', 'compiled')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (isPrivate(directory)) enableCompileCache(directory)
} catch {
  // No home directory, or not one that can be written: Trent works without the cache.
}

/** @param {string} directory */
function isPrivate(directory) {
  const own = process.getuid?.()
  const { uid, mode } = lstatSync(directory)
  if (own === undefined || uid !== own || (mode & anyAccessByOthers) !== 0) return false
  for (let at = directory; at !== dirname(at); at = dirname(at)) {
    const above = lstatSync(dirname(at))
    if (!lstatSync(at).isDirectory() || (above.uid !== own && above.uid !== 0)) return false
    if ((above.mode & writableByOthers) !== 0 && (above.mode & sticky) === 0) return false
  }
  return true
}
