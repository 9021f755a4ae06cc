// Installs the packages of package-lock.json if node_modules is missing or belongs to another lock file. Runs
// on any Node >= 18 before anything is installed, so it uses only Node. Two runs at once take turns.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'node_modules', '.trent-lock')
const turn = join(root, '.cache', 'install.lock')
const guard = `${turn}.guard`
const mine = `${turn}.${process.pid}`
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

const installed = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted

// A lock is a file with the pid of its holder. It is made by a link, so it is never empty or half written.
const take = (lock) => {
  try {
    linkSync(mine, lock)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return false
  }
}

const holderOf = (lock) => {
  try {
    return Number(readFileSync(lock, 'utf8'))
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return undefined
  }
}

const isDead = (pid) => {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code !== 'EPERM'
  }
}

// Removes a lock of a dead process, which cannot release it. Only one process at a time does this, under the
// guard, and it checks again: since the first check, a living process may have taken the lock.
const takeFromTheDead = () => {
  if (!take(guard)) {
    if (isDead(holderOf(guard))) rmSync(guard, { force: true })
    return
  }
  const holder = holderOf(turn)
  if (holder !== undefined && isDead(holder)) rmSync(turn, { force: true })
  rmSync(guard)
}

const takeTurn = () => {
  mkdirSync(dirname(turn), { recursive: true })
  writeFileSync(mine, String(process.pid))
  try {
    for (let tries = 1; !take(turn); tries += 1) {
      const holder = holderOf(turn)
      if (holder !== undefined && isDead(holder)) takeFromTheDead()
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
      if (tries === 25) {
        console.log(`trent: waiting for process ${holder}, which is installing (${turn})`)
      }
    }
  } finally {
    rmSync(mine)
  }
}

if (!installed()) {
  takeTurn()
  try {
    if (!installed()) {
      console.log('trent: installing dependencies (npm ci)')
      const npm = process.env.npm_execpath
      const flags = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
      const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }
      if (npm) execFileSync(process.execPath, [npm, ...flags], options)
      else execFileSync('npm', flags, options)
      mkdirSync(dirname(stamp), { recursive: true })
      writeFileSync(stamp, wanted)
    }
  } catch (error) {
    console.error(`trent: npm ci failed: ${error.message}`)
    process.exitCode = 1
  } finally {
    rmSync(turn, { force: true })
  }
}
