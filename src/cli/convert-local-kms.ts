/**
 * `trent convert local-kms`: converts a seed.yaml of local-kms into a file for `trent apply`, with the
 * keys, their ids and material, and the aliases. It reads all three formats: the list of AES keys, the
 * keys by kind, and the latest, the list of keys with their specs.
 * @see https://github.com/nsmithuk/local-kms#seeding-file-format
 * @module
 */
import { createPrivateKey } from 'node:crypto'
import { stringify } from 'yaml'
import { type DocumentFile, readDocumentFile } from './document-file.ts'
import { pkcs8Of } from './given-materials.ts'
import { printed } from './printed.ts'
import { entriesOf, entryOf, memberOf, textOf, textsOf } from './seed.ts'

type Entry = Readonly<Record<string, unknown>>

export async function convertLocalKms(
  path: string,
  options: { readonly account: string; readonly region: string },
): Promise<void> {
  await printed({}, async () => {
    const converted = convertedSeed(readDocumentFile(path, 'failsafe'), options)
    return Promise.resolve([
      converted,
      (): string => heading + stringify(converted, { lineWidth: 0 }),
    ])
  })
}

const heading = `# Keys of local-kms, for \`trent apply\`: anyone who reads this file can use them.
`

/** @throws {ConfigError} with the position in the file */
export function convertedSeed(
  file: DocumentFile,
  { account, region }: { readonly account: string; readonly region: string },
): object {
  if (!['Keys', 'Aliases'].some((name) => memberOf(file.value, name) !== undefined)) {
    throw file.faultAt('#', 'is not a seed file of local-kms: it has no Keys')
  }
  const aliases = entriesOf(file, file.value, 'Aliases', '#')
  const keys = seedKeys(file).map((key) => {
    const own = aliases.filter(({ value }) => value['TargetKeyId'] === key.keyId)
    const names = own.map(({ value, at }) => aliasName(file, value, at))
    return { ...key, region, ...(names.length > 0 && { aliases: names }) }
  })
  const ids = new Set<unknown>(keys.map(({ keyId }) => keyId))
  const lost = aliases.find(({ value }) => !ids.has(value['TargetKeyId']))
  if (lost !== undefined) throw file.faultAt(lost.at, 'its TargetKeyId is not a key in this file')
  return { accounts: [{ accountId: account, keys }] }
}

/** local-kms also accepts names without the prefix. */
function aliasName(file: DocumentFile, alias: Entry, at: string): string {
  const name = textOf(file, alias, 'AliasName', at)
  return name.startsWith('alias/') ? name : `alias/${name}`
}

interface ConvertedKey {
  readonly keyId: string
  readonly [member: string]: unknown
}

function seedKeys(file: DocumentFile): readonly ConvertedKey[] {
  const keys = memberOf(file.value, 'Keys')
  if (Array.isArray(keys)) {
    return entriesOf(file, file.value, 'Keys', '#').map(({ value, at }) =>
      listedKey(file, value, at),
    )
  }
  const kinds = [
    ['Symmetric', 'Aes', symmetricKey],
    ['Symmetric', 'Hmac', symmetricKey],
    ['Asymmetric', 'Rsa', pairKey],
    ['Asymmetric', 'Ecc', pairKey],
  ] as const
  return kinds.flatMap(([group, kind, convert]) =>
    entriesOf(file, memberOf(keys, group), kind, `#/Keys/${group}`).map(({ value, at }) =>
      convert(file, value, at),
    ),
  )
}

/**
 * A key of a list. The latest format names the spec and has the material in a separate member. The
 * first format has AES keys only.
 */
function listedKey(file: DocumentFile, key: Entry, at: string): ConvertedKey {
  const { Material: material } = key
  if (material === undefined) return symmetricKey(file, key, at)
  const metadata = { ...entryOf(key, 'Metadata'), KeyId: textOf(file, key, 'KeyId', at) }
  const flat = { ...key, ...entryOf(key, 'Material'), Metadata: metadata }
  return 'PrivateKeyPem' in flat ? pairKey(file, flat, at) : symmetricKey(file, flat, at)
}

function symmetricKey(file: DocumentFile, key: Entry, at: string): ConvertedKey {
  const metadata = entryOf(key, 'Metadata')
  const backing = textsOf(file, key, 'BackingKeys', at).map((text, index) => {
    if (/^(?:[0-9a-f]{2})+$/i.test(text)) return Buffer.from(text, 'hex').toString('base64')
    throw file.faultAt(`${at}/BackingKeys/${index}`, 'must be in hexadecimal digits')
  })
  const keySpec = specIn(metadata)
  const material = backing.at(-1)
  const earlier = backing.slice(0, -1)
  const isMac = keySpec.startsWith('HMAC_')
  return {
    ...described(file, metadata, at),
    keySpec,
    keyUsage: isMac ? 'GENERATE_VERIFY_MAC' : 'ENCRYPT_DECRYPT',
    ...(metadata['Origin'] === 'EXTERNAL' && { origin: 'EXTERNAL' }),
    ...(material !== undefined && { material }),
    ...(earlier.length > 0 && { earlierMaterials: earlier }),
    ...(key['NextKeyRotation'] !== undefined && !isMac && { enableKeyRotation: true }),
  }
}

function specIn({ KeySpec: spec }: Entry): string {
  return typeof spec === 'string' ? spec : 'SYMMETRIC_DEFAULT'
}

const curves: Readonly<Record<string, string>> = {
  prime256v1: 'ECC_NIST_P256',
  secp384r1: 'ECC_NIST_P384',
  secp521r1: 'ECC_NIST_P521',
  secp256k1: 'ECC_SECG_P256K1',
}

function pairKey(file: DocumentFile, key: Entry, at: string): ConvertedKey {
  const metadata = entryOf(key, 'Metadata')
  const pem = textOf(file, key, 'PrivateKeyPem', at)
  const place = `${at}/PrivateKeyPem`
  const keySpec = specOf(pem)
  if (keySpec === undefined) throw file.faultAt(place, 'must be a private key with a KMS key spec')
  const keyUsage = metadata['KeyUsage'] ?? (keySpec.startsWith('ECC_') ? 'SIGN_VERIFY' : undefined)
  if (keyUsage === undefined) {
    throw file.faultAt(`${at}/Metadata`, 'RSA keys need a KeyUsage')
  }
  const material = pkcs8Of(pem).toString('base64')
  return { ...described(file, metadata, at), keySpec, keyUsage, material }
}

function specOf(pem: string): string | undefined {
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPrivateKey(pem)
    if (type === 'rsa') return `RSA_${details?.modulusLength ?? 0}`
    if (type === 'ed25519') return 'ECC_NIST_EDWARDS25519'
    return curves[details?.namedCurve ?? '']
  } catch {
    // OpenSSL's error may quote the key.
    return undefined
  }
}

function described(file: DocumentFile, metadata: Entry, at: string): ConvertedKey {
  const keyId = textOf(file, metadata, 'KeyId', `${at}/Metadata`)
  const description = metadata['Description']
  return {
    keyId,
    ...(keyId.startsWith('mrk-') && { multiRegion: true }),
    ...(typeof description === 'string' && description !== '' && { description }),
  }
}
