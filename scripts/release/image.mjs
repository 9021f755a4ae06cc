// The image for containers, from an executable and Debian's libraries. Buildah builds it: nothing runs in it then, so
// it works without root, and for another kind of machine.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { archiveOf } from './executables.mjs'
import { billOf } from './inventory.mjs'
import { debianLibraries } from './libraries.mjs'

/** Why no image can be made here; undefined if one can. */
export function noImage() {
  const missing = ['buildah', 'apt-get', 'dpkg-deb'].filter(
    (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0,
  )
  return missing.length === 0 ? undefined : `images need ${missing.join(' and ')}`
}

/** An image without a base has no users and no resolver. */
const accounts = {
  'etc/passwd': 'root:x:0:0:root:/:/\ntrent:x:10001:10001:trent:/data:/\n',
  'etc/group': 'root:x:0:\ntrent:x:10001:\n',
  'etc/nsswitch.conf': 'hosts: files dns\n',
}

/**
 * Makes the image of a platform, as an archive that `docker load` and `podman load` read.
 * @param {{
 *   root: string,
 *   out: string,
 *   version: string,
 *   platform: string,
 *   folder: string,
 *   parts: readonly import('./inventory.mjs').Part[],
 * }} of `folder`: what the archive of the executable holds
 */
export function releaseImage({ root, out, version, platform, folder, parts }) {
  const name = `trent-${version}-image-${platform}`
  const work = mkdtempSync(join(tmpdir(), 'trent-image-'))
  try {
    const tree = join(work, 'context', 'root')
    const libraries = debianLibraries(platform, tree)
    const purl = `pkg:generic/trent-image@${version}?platform=${platform}`
    const bill = billOf({ name: 'trent-image', version, purl }, parts, libraries)
    const place = (path, from) => {
      mkdirSync(dirname(join(tree, path)), { recursive: true })
      copyFileSync(from, join(tree, path))
    }
    place('opt/trent/trent', join(folder, 'trent'))
    for (const file of ['LICENSE', 'THIRD-PARTY-NOTICES']) {
      place(`usr/share/doc/trent/${file}`, join(folder, file))
    }
    mkdirSync(join(tree, 'etc'))
    for (const [path, text] of Object.entries(accounts)) writeFileSync(join(tree, path), text)
    writeFileSync(join(tree, 'usr/share/doc/trent/sbom.cdx.json'), bill)
    fixModes(tree)
    const data = join(work, 'context', 'own', 'data')
    mkdirSync(data, { recursive: true })
    chmodSync(data, 0o700)
    writeFileSync(join(out, `${name}.cdx.json`), bill)
    const archive = join(work, 'image.tar')
    build({ root, work, platform, archive, tag: `localhost/trent:${version}` })
    writeFileSync(join(out, `${name}.tar.gz`), gzipSync(withoutBuilder(archive, work)))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Modes that do not depend on the mask of the user who makes the release. */
function fixModes(directory) {
  chmodSync(directory, 0o755)
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) fixModes(path)
    else chmodSync(path, /^trent$|^ld-linux/.test(entry.name) ? 0o755 : 0o644)
  }
}

function build({ root, work, platform, archive, tag }) {
  const policy = join(work, 'policy.json')
  // Nothing is pulled: the base is empty.
  writeFileSync(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }))
  // A store of its own: nothing is left in the user's.
  const store = ['--storage-driver=vfs', `--root=${join(work, 'store')}`]
  const buildah = (...given) =>
    execFileSync('buildah', [...store, `--runroot=${join(work, 'run')}`, ...given], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }).trim()
  const [os, arch] = platform.split('-')
  const image = buildah(
    'build',
    '--quiet',
    '--isolation=chroot',
    '--format=docker', // the other format has no health check
    '--timestamp=0',
    `--platform=${os}/${arch === 'x64' ? 'amd64' : arch}`,
    `--signature-policy=${policy}`,
    `--tag=${tag}`,
    `--file=${join(root, 'deploy', 'container', 'Containerfile')}`,
    join(work, 'context'),
  )
  buildah(
    'push',
    '--quiet',
    `--signature-policy=${policy}`,
    image,
    `docker-archive:${archive}:${tag}`,
  )
}

/** The same image without the random name of the container that built it: two builds have the same bytes. */
function withoutBuilder(archive, work) {
  const folder = join(work, 'image')
  mkdirSync(folder)
  execFileSync('tar', ['-xf', archive, '-C', folder])
  const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'))
  const [image] = read('manifest.json')
  const { container: _, container_config: __, ...settings } = read(image.Config)
  delete settings.config.Hostname
  const text = JSON.stringify(settings)
  const name = `${createHash('sha256').update(text).digest('hex')}.json`
  writeFileSync(join(folder, name), text)
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify([{ ...image, Config: name }]))
  for (const file of [name, 'manifest.json']) chmodSync(join(folder, file), 0o644)
  return archiveOf(folder, ['manifest.json', name, ...image.Layers])
}
