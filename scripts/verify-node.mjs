// Checks the Node.js binary that npm brings. Without arguments: the installed one against
// node-binaries.json. With --published: each recorded hash against the files that nodejs.org publishes, which
// needs the network. Runs on any Node >= 18, so it uses only Node.
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const publishedAt = 'https://nodejs.org/dist'
const tarballBytesMax = 256 * 1024 * 1024
const unpackedBytesMax = 1024 * 1024 * 1024
const downloadMs = 10 * 60_000

export const recorded = JSON.parse(
  readFileSync(join(root, 'scripts', 'node-binaries.json'), 'utf8'),
)

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** The recorded binaries that are installed here, each with its path; an empty list on other platforms. */
export function installed(directory = root) {
  return recorded.binaries
    .map((binary) => ({
      ...binary,
      path: join(directory, 'node_modules', binary.package, 'bin', 'node'),
    }))
    .filter(({ path }) => existsSync(path))
}

/** Throws unless the file is the recorded binary. */
export async function verifyInstalled({ package: name, path, sha256: wanted }) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  const found = hash.digest('hex')
  if (found === wanted) return
  throw new Error(`${path} of ${name} has SHA-256 ${found}, and ${wanted} is recorded`)
}

/**
 * Throws unless the published tarball of the binary's platform has the hash in the published list and contains
 * the recorded binary.
 */
export async function verifyPublished(binary, { version, from = publishedAt }) {
  const name = `node-v${version}-${binary.platform}.tar.gz`
  const list = (await download(`${from}/v${version}/SHASUMS256.txt`)).toString('utf8')
  const line = list.split('\n').find((each) => each.endsWith(`  ${name}`))
  if (line === undefined) throw new Error(`SHASUMS256.txt of ${version} does not list ${name}`)
  const tarball = await download(`${from}/v${version}/${name}`)
  if (sha256(tarball) !== line.split(' ')[0]) {
    throw new Error(`${name} does not have the SHA-256 that SHASUMS256.txt lists`)
  }
  const unpacked = gunzipSync(tarball, { maxOutputLength: unpackedBytesMax })
  const found = sha256(fileOf(unpacked, `node-v${version}-${binary.platform}/bin/node`))
  if (found !== binary.sha256) {
    throw new Error(`bin/node of ${name} has SHA-256 ${found}, and ${binary.sha256} is recorded`)
  }
}

async function download(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(downloadMs) })
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  if (Number(response.headers.get('content-length')) > tarballBytesMax) {
    throw new Error(`${url} is larger than ${tarballBytesMax} bytes`)
  }
  return Buffer.from(await response.arrayBuffer())
}

/** A file of a tar archive (POSIX ustar). */
function fileOf(archive, wanted) {
  for (let at = 0; at + 512 <= archive.length;) {
    const header = archive.subarray(at, at + 512)
    const text = (from, length) =>
      header.toString('latin1', from, from + length).replace(/\0.*$/s, '')
    const [name, prefix, type] = [text(0, 100), text(345, 155), text(156, 1)]
    if (name === '') break
    const size = Number.parseInt(text(124, 12).trim() || '0', 8)
    if (!(size >= 0)) break
    const path = prefix === '' ? name : `${prefix}/${name}`
    if (path === wanted && (type === '0' || type === '')) {
      return archive.subarray(at + 512, at + 512 + size)
    }
    at += 512 + Math.ceil(size / 512) * 512
  }
  throw new Error(`the archive does not hold ${wanted}`)
}

async function main(published) {
  const { version, binaries } = recorded
  if (published) {
    for (const binary of binaries) {
      await verifyPublished(binary, { version })
      console.log(`${binary.package} ${version}: the binary that nodejs.org publishes`)
    }
    return
  }
  const found = installed()
  for (const binary of found) {
    await verifyInstalled(binary)
    console.log(`${binary.package} ${version}: the binary that is recorded`)
  }
  if (found.length === 0) console.log('no Node.js of npm is installed: Trent runs on your own')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main(process.argv.includes('--published')).catch((error) => {
    console.error(`trent: ${error.message}`)
    process.exitCode = 1
  })
}
