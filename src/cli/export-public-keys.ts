/**
 * `trent export-public-keys`: the public keys of all asymmetric keys, so that signatures can be verified
 * while the service is gone.
 * @module
 */
import { createPublicKey } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { loadConfig } from '../config.ts'
import { replaceFile } from '../disk/durable.ts'
import { nodeFiles } from '../disk/files.ts'
import { inJson, visible } from '../model/visible.ts'
import { callOperator } from '../operator/client.ts'
import type { ListedPublicKey, PublicKeysPage } from '../operations/trent/list-public-keys.ts'
import { printed } from './printed.ts'

interface ExportedKey extends Omit<
  ListedPublicKey,
  'publicKey' | 'accountId' | 'region' | 'keyId'
> {
  /** SPKI, PEM; absent while the key has no material. */
  readonly pem?: string
  /** Its path in the directory. */
  readonly file?: string
}

interface Exported {
  readonly keys: readonly ExportedKey[]
}

/** One file for each key, and a list of them. */
const listName = 'public-keys.json'

export async function exportPublicKeys(
  configFile: string | undefined,
  directory: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  await printed<Exported | { readonly directory: string; readonly keys: number }>(
    { ...options, ...(directory === undefined && { json: true }) },
    async () => {
      const { operatorDirectory } = loadConfig(process.env, configFile)
      const to = directory === undefined ? undefined : resolve(directory)
      const keys: ExportedKey[] = []
      for await (const key of publicKeys(operatorDirectory)) keys.push(await exported(key, to))
      const list: Exported = { keys }
      if (to === undefined) return [list, () => '']
      // Last: it names files that exist.
      await write(join(to, listName), inJson(list))
      return [
        { directory: to, keys: keys.length },
        () => `${visible(to)}: ${keys.length} keys, listed in ${listName}\n`,
      ]
    },
  )
}

/** @param to the directory that gets its file; undefined if the list gets the key */
async function exported(
  { accountId, region, keyId, publicKey, ...about }: ListedPublicKey,
  to: string | undefined,
): Promise<ExportedKey> {
  if (publicKey === undefined) return about
  const pem = pemOf(publicKey)
  if (to === undefined) return { ...about, pem }
  const file = join(...[accountId, region, `${keyId}.pem`].map(asName))
  await write(join(to, file), pem)
  return { ...about, file }
}

async function* publicKeys(operatorDirectory: string): AsyncGenerator<ListedPublicKey> {
  let after: string | undefined
  do {
    const page = (await callOperator(operatorDirectory, 'ListPublicKeys', {
      after,
    })) as PublicKeysPage
    yield* page.keys
    ;({ after } = page)
  } while (after !== undefined)
}

function pemOf(publicKey: string): string {
  const key = Buffer.from(publicKey, 'base64')
  const pem = createPublicKey({ key, format: 'der', type: 'spki' }).export({
    format: 'pem',
    type: 'spki',
  })
  return pem
}

/** A key id is chosen by whoever creates the key with `trent apply`. */
function asName(text: string): string {
  return encodeURIComponent(text).replaceAll('.', (dot, at) => (at === 0 ? '%2E' : dot))
}

/** Anybody may read it. */
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  await replaceFile(nodeFiles, path, Buffer.from(text))
  await chmod(path, 0o644)
}
