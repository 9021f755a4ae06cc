// The libraries that Node.js needs, from Debian's packages: apt checks their signatures. It has lists of its own
// here, so that another kind of machine needs no change to the system.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const packages = ['libatomic1', 'libc6', 'libgcc-s1', 'libstdc++6']
const machines = {
  'linux-x64': {
    debian: 'amd64',
    folder: 'x86_64-linux-gnu',
    loader: 'lib64/ld-linux-x86-64.so.2',
  },
  'linux-arm64': {
    debian: 'arm64',
    folder: 'aarch64-linux-gnu',
    loader: 'lib/ld-linux-aarch64.so.1',
  },
}
const files = [
  'libatomic.so.1',
  'libc.so.6',
  'libdl.so.2',
  'libgcc_s.so.1',
  'libm.so.6',
  'libpthread.so.0',
  'libstdc++.so.6',
]

/**
 * Copies the libraries with their licences into a tree.
 * @param {string} platform
 * @param {string} tree stands for `/`
 * @returns {object[]} the packages, as components of a bill of materials
 */
export function debianLibraries(platform, tree) {
  const { debian, folder, loader } = machines[platform]
  const work = mkdtempSync(join(tmpdir(), 'trent-libraries-'))
  try {
    const fetch = downloads(work, debian)
    const unpacked = join(work, 'unpacked')
    const unpack = (file) => execFileSync('dpkg-deb', ['-x', file, unpacked])
    const fetched = fetch(packages)
    fetched.forEach(unpack)
    // Packages of one source share the folder of one of them.
    const shared = packages
      .map((name) => readlink(join(unpacked, 'usr/share/doc', name)))
      .filter((name) => name !== undefined)
    fetch([...new Set(shared)].toSorted()).forEach(unpack)
    for (const name of packages) copy(unpacked, `usr/share/doc/${name}/copyright`, tree)
    copy(unpacked, `lib/${folder}/${loader.split('/').at(-1)}`, tree, loader)
    for (const file of files) {
      const places = [`lib/${folder}/${file}`, `usr/lib/${folder}/${file}`]
      const found = places.find((path) => existsSync(join(unpacked, path)))
      if (found === undefined) throw new Error(`Debian's packages have no ${file}`)
      copy(unpacked, found, tree, `lib/${folder}/${file}`)
    }
    return fetched.map((file) => componentOf(file, debian))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function copy(from, path, tree, to = path) {
  mkdirSync(dirname(join(tree, to)), { recursive: true })
  copyFileSync(realpathSync(join(from, path)), join(tree, to))
}

/** @returns {string | undefined} where a symbolic link leads */
function readlink(path) {
  return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined
}

/** @returns {(names: readonly string[]) => string[]} downloads packages, and returns their files in order */
function downloads(work, architecture) {
  const [state, cache] = [join(work, 'state'), join(work, 'cache')]
  for (const each of [join(state, 'lists/partial'), join(cache, 'archives/partial')]) {
    mkdirSync(each, { recursive: true })
  }
  writeFileSync(join(work, 'status'), '')
  const options = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    `Dir::State=${state}`,
    `Dir::State::status=${join(work, 'status')}`,
    `Dir::Cache=${cache}`,
    'Acquire::Languages=none',
  ].flatMap((option) => ['-o', option])
  const apt = (given, cwd) =>
    execFileSync('apt-get', ['--quiet=2', ...options, ...given], {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  apt(['update'], work)
  return (names) => {
    const folder = mkdtempSync(join(work, 'packages-'))
    if (names.length > 0) apt(['download', ...names], folder)
    return readdirSync(folder)
      .toSorted()
      .map((file) => join(folder, file))
  }
}

function componentOf(file, architecture) {
  const field = (name) => execFileSync('dpkg-deb', ['-f', file, name], { encoding: 'utf8' }).trim()
  const [name, version] = [field('Package'), field('Version')]
  const at = `${encodeURIComponent(name)}@${encodeURIComponent(version)}`
  const purl = `pkg:deb/debian/${at}?arch=${architecture}`
  const content = createHash('sha256').update(readFileSync(file)).digest('hex')
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    hashes: [{ alg: 'SHA-256', content }],
    licenses: [{ license: { name: `see /usr/share/doc/${name}/copyright` } }],
    purl,
  }
}
