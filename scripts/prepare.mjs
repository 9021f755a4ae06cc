// Installs the packages of package-lock.json if node_modules is missing or belongs to another lock file. Runs
// on any Node >= 18 before anything is installed, so it uses only Node. Two runs at once take turns.
// With the name of a folder, it installs the packages of that folder instead of the root's.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { takeTurn } from './turn.mjs'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = process.argv[2] ?? '.'
const root = join(top, folder)
const stamp = join(root, 'node_modules', '.trent-lock')
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

const installed = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted

if (!installed()) {
  const endTurn = takeTurn(join(top, '.cache', 'install.lock'), 'installing')
  try {
    if (!installed()) {
      const of = folder === '.' ? '' : ` of ${folder}`
      console.log(`trent: installing dependencies${of} (npm ci)`)
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
    endTurn()
  }
}
