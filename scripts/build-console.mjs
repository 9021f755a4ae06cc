// Builds the console into console/dist, if its sources have changed since the last build. Every file is also
// compressed. Two renames put the new folder in the place of the old one, so a server never reads half a build.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'
import { takeTurn } from './turn.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = join(root, 'console')
const built = join(folder, 'dist')
const stamp = join(built, 'sources')
const made = new Set(['node_modules', 'dist', 'building', 'replaced'])

function filesIn(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    return entry.isDirectory() ? filesIn(path) : [path]
  })
}

/** The hash of everything that a build depends on. */
function sourcesHash() {
  const hash = createHash('sha256')
  const tops = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !made.has(name))
  const files = tops.flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesIn(path) : [path]
  })
  const byName = (one, other) => (one < other ? -1 : 1)
  const shared = [join(root, 'tsconfig.json'), fileURLToPath(import.meta.url)]
  for (const file of [...files, ...shared].toSorted(byName)) {
    const bytes = readFileSync(file)
    hash.update(`${relative(root, file)}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex')
}

const isBuilt = (wanted) => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted

function compress(file) {
  if (!/\.(html|js|css|svg)$/.test(file)) return
  const bytes = readFileSync(file)
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 10,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  }
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }))
}

function build(wanted) {
  const building = join(folder, 'building')
  rmSync(building, { recursive: true, force: true })
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }
  execFileSync(process.execPath, [join(root, 'scripts/prepare.mjs'), 'console'], options)
  console.log('trent: building the console')
  const vite = join(folder, 'node_modules/vite/bin/vite.js')
  const flags = ['build', '--outDir', building, '--logLevel', 'error']
  execFileSync(process.execPath, [vite, ...flags], { ...options, cwd: folder })
  for (const file of filesIn(building)) compress(file)
  writeFileSync(join(building, 'sources'), wanted)
  const replaced = join(folder, 'replaced')
  rmSync(replaced, { recursive: true, force: true })
  if (existsSync(built)) renameSync(built, replaced)
  renameSync(building, built)
  rmSync(replaced, { recursive: true, force: true })
  const bytes = filesIn(built).reduce((sum, file) => sum + statSync(file).size, 0)
  console.log(`trent: the console is built (${Math.round(bytes / 1024)} KB)`)
}

const wanted = sourcesHash()
if (!isBuilt(wanted)) {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const endTurn = takeTurn(join(root, '.cache', 'console.lock'), 'building the console')
  try {
    if (!isBuilt(wanted)) build(wanted)
  } catch (error) {
    console.error(`trent: the console could not be built: ${error.message}`)
    process.exitCode = 1
  } finally {
    endTurn()
  }
}
