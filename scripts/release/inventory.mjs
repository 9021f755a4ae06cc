// What a release says of the packages inside: their licences, and a bill of materials in CycloneDX 1.6.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/**
 * @typedef {{ name: string, version: string, license: string, texts: string[], purl: string, sha512: string }} Part
 */

/**
 * @param {string} root
 * @param {readonly string[]} folders of packages, relative to `holder`
 * @param {string} holder where the packages are
 * @returns {Part[]} in order of their names and versions
 */
export function readParts(root, folders, holder = root) {
  const { packages } = readJson(join(root, 'package-lock.json'))
  return folders
    .map((folder) => {
      const { name, version, license } = readJson(join(holder, folder, 'package.json'))
      if (typeof license !== 'string') throw new Error(`${folder} does not name its licence`)
      const [algorithm, digest = ''] = (packages[folder]?.integrity ?? '').split('-')
      if (algorithm !== 'sha512') throw new Error(`${folder} is not in package-lock.json`)
      const texts = readdirSync(join(holder, folder))
        .filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))
        .toSorted()
        .map((file) => readFileSync(join(holder, folder, file), 'utf8').trim())
      const purl = npmUrl(name, version)
      return {
        name,
        version,
        license,
        texts,
        purl,
        sha512: Buffer.from(digest, 'base64').toString('hex'),
      }
    })
    .toSorted(byUrl)
}

/** @param {string} name @param {string} version */
export const npmUrl = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`

/** @param {Part} one @param {Part} other */
const byUrl = (one, other) => (one.purl < other.purl ? -1 : 1)

/** @param {readonly Part[]} parts @returns {Part[]} */
export function uniqueParts(parts) {
  return [...new Map(parts.map((part) => [part.purl, part])).values()].toSorted(byUrl)
}

/**
 * The packages that are not only for development.
 * @param {string} root a folder with a lock file
 * @returns {string[]} relative to it
 */
export function productionFolders(root) {
  const { packages } = readJson(join(root, 'package-lock.json'))
  return Object.entries(packages).flatMap(([folder, { dev, optional, peer }]) =>
    folder === '' || dev || optional || peer ? [] : [folder],
  )
}

/** @param {readonly Part[]} parts */
export function noticesOf(parts) {
  const line = '-'.repeat(80)
  const entries = parts.map(({ name, version, license, texts }) =>
    [`${name} ${version} (${license})`, ...texts].join('\n\n'),
  )
  const heading = 'This program contains the following packages.'
  return `${[heading, ...entries].join(`\n\n${line}\n\n`)}\n`
}

/**
 * Without a time and a random serial number: two builds of one commit give the same bytes.
 * @param {{ name: string, version: string, purl: string }} release
 * @param {readonly Part[]} parts
 * @param {readonly object[]} others components that are not packages of npm
 */
export function billOf({ name, version, purl }, parts, others = []) {
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': purl,
        name,
        version,
        licenses: [{ license: { id: 'Apache-2.0' } }],
        purl,
      },
    },
    components: [...parts.map(componentOf), ...others],
  }
  return `${JSON.stringify(bill, undefined, 2)}\n`
}

/** @param {Part} part */
const componentOf = (part) => ({
  type: 'library',
  'bom-ref': part.purl,
  name: part.name,
  version: part.version,
  hashes: [{ alg: 'SHA-512', content: part.sha512 }],
  licenses: [{ expression: part.license }],
  purl: part.purl,
})
