// One turn at a time for several processes, by a lock file with the pid of its holder. The lock is made by a
// link, so it is never empty or half written.
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Waits for the turn. Returns a function that ends it.
 * @param {string} lock path of the lock file
 * @param {string} doing what the holder does, for people who wait
 */
export function takeTurn(lock, doing) {
  const mine = `${lock}.${process.pid}`
  mkdirSync(dirname(lock), { recursive: true })
  writeFileSync(mine, String(process.pid))
  try {
    for (let tries = 1; !take(lock, mine); tries += 1) {
      const holder = holderOf(lock)
      if (holder !== undefined && isDead(holder)) takeFromTheDead(lock, mine)
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
      if (tries === 25) {
        console.log(`trent: waiting for process ${holder}, which is ${doing} (${lock})`)
      }
    }
  } finally {
    rmSync(mine)
  }
  return () => rmSync(lock, { force: true })
}

function take(lock, mine) {
  try {
    linkSync(mine, lock)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return false
  }
}

function holderOf(lock) {
  try {
    return Number(readFileSync(lock, 'utf8'))
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return undefined
  }
}

function isDead(pid) {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code !== 'EPERM'
  }
}

// Removes a lock of a dead process, which cannot release it. Only one process at a time does this, under the
// guard, and it checks again: since the first check, a living process may have taken the lock.
function takeFromTheDead(lock, mine) {
  const guard = `${lock}.guard`
  if (!take(guard, mine)) {
    if (isDead(holderOf(guard))) rmSync(guard, { force: true })
    return
  }
  const holder = holderOf(lock)
  if (holder !== undefined && isDead(holder)) rmSync(lock, { force: true })
  rmSync(guard)
}
