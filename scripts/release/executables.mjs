// The single executables: the Node.js of the lock file without its symbols, and in it the program, its threads and
// the console. Linux alone makes them, for any machine of Linux.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { recorded, verifyInstalled } from '../verify-node.mjs'
import { bundleExecutable } from './bundle.mjs'
import { billOf, noticesOf, readParts } from './inventory.mjs'

export const platforms = ['linux-x64', 'linux-arm64']
const own = `${process.platform}-${process.arch}`

/** @typedef {import('./inventory.mjs').Part} Part */

/**
 * The folder that has the Node.js of a platform in its node_modules: the checkout, or a cache.
 * @param {string} root the checkout
 * @param {string} platform
 */
async function withNode(root, platform) {
  const found = recorded.binaries.find((each) => each.platform === platform)
  if (found === undefined) throw new Error(`no Node.js is recorded for ${platform}`)
  const name = found.package
  const cache = join(root, '.cache', `node-${recorded.version}`)
  const holder = existsSync(join(root, 'node_modules', name, 'bin', 'node')) ? root : cache
  const folder = join(holder, 'node_modules', name)
  const binary = join(folder, 'bin', 'node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    const npm = process.env.npm_execpath
    const pack = ['pack', `${name}@${recorded.version}`, '--pack-destination', cache, '--silent']
    if (npm) execFileSync(process.execPath, [npm, ...pack], { cwd: cache })
    else execFileSync('npm', pack, { cwd: cache })
    const packed = join(cache, `${name}-${recorded.version}.tgz`)
    execFileSync('tar', ['-xzf', packed, '-C', folder, '--strip-components=1'])
    rmSync(packed)
  }
  await verifyInstalled({ ...found, path: binary })
  return { holder, name, binary }
}

/** Writes the binary without symbols, where a program for that is installed. */
function strip(binary, platform, to) {
  const programs = platform === own ? ['llvm-strip', 'strip'] : ['llvm-strip']
  const program = programs.find((each) => spawnSync(each, ['--version']).status === 0)
  if (program !== undefined) execFileSync(program, ['-o', to, binary])
  else {
    console.log(`trent: without ${programs.join(' or ')} the executable of ${platform} is larger`)
    copyFileSync(binary, to)
  }
}

/** @param {string} folder @returns {Record<string, string>} the files by the names that they have inside */
function pagesOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(
    files.toSorted().map((path) => [`console${path.slice(folder.length)}`, path]),
  )
}

/**
 * Makes one executable.
 * @param {{ root: string, platform: string, pages?: string | undefined, file: string }} of `pages`: the built console
 */
export async function buildExecutable({ root, platform, pages, file }) {
  if (process.version !== `v${recorded.version}`) {
    throw new Error(`executables are made by Node.js ${recorded.version}: use \`npm run release\``)
  }
  const { binary } = await withNode(root, platform)
  const work = mkdtempSync(join(tmpdir(), 'trent-executable-'))
  try {
    const threads = await bundleExecutable(root, work)
    strip(binary, platform, join(work, 'node'))
    // The file keeps the path of `main`, which is why it has no folder here.
    const settings = {
      main: 'executable.mjs',
      mainFormat: 'module',
      executable: join(work, 'node'),
      output: file,
      disableExperimentalSEAWarning: true,
      // Code that is compiled for one kind of processor is of no use to another.
      useCodeCache: platform === own,
      execArgv: ['--disable-sigusr1', '--report-exclude-env'],
      assets: {
        ...Object.fromEntries(threads.map((name) => [name, join(work, name)])),
        ...(pages !== undefined && pagesOf(pages)),
      },
    }
    writeFileSync(join(work, 'settings.json'), JSON.stringify(settings))
    // V8 puts random hashes of names into the compiled code. It takes no part of this seed for another setting.
    execFileSync(process.execPath, ['--random-seed=1', '--build-sea', 'settings.json'], {
      cwd: work,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    chmodSync(file, 0o755)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/**
 * An archive with nothing of this machine and of this moment: two builds have the same bytes.
 * @param {string} folder
 * @param {readonly string[]} names
 */
export function archiveOf(folder, names) {
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--sort=name']
  const flags = ['--format=ustar', ...owner, '-C', folder, '-cf', '-']
  return execFileSync('tar', [...flags, ...names], { maxBuffer: 1024 ** 3 })
}

/**
 * Makes the executable of a platform with its licences and its bill of materials, in a folder and in an archive.
 * @param {{ root: string, out: string, version: string, parts: Part[], platform: string, pages?: string | undefined }} of
 * @returns {Promise<{ folder: string, parts: Part[] }>} the folder, and the packages inside
 */
export async function releaseExecutable({ root, out, version, parts, platform, pages }) {
  const name = `trent-${version}-${platform}`
  const folder = join(out, name)
  mkdirSync(folder)
  await buildExecutable({ root, platform, pages, file: join(folder, 'trent') })
  const node = await withNode(root, platform)
  const all = [...readParts(root, [`node_modules/${node.name}`], node.holder), ...parts]
  const purl = `pkg:generic/trent@${version}?platform=${platform}`
  const bill = billOf({ name: 'trent', version, purl }, all)
  writeFileSync(join(folder, 'LICENSE'), readFileSync(join(root, 'LICENSE')))
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES'), noticesOf(all))
  writeFileSync(join(folder, 'sbom.cdx.json'), bill)
  writeFileSync(join(out, `${name}.cdx.json`), bill)
  writeFileSync(join(out, `${name}.tar.gz`), gzipSync(archiveOf(out, [name])))
  return { folder, parts: all }
}
