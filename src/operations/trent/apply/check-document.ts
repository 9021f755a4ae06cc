/** Checks a document for duplicates and size, without the store. @module */
import { serviceKeyPrefix } from '../../../model/service.ts'
import { list, required, structure, type Member } from '../../../model/shape.ts'
import { documentShape, type AccountEntry, type ApplyDocument, type KeyEntry } from './document.ts'
import { type DocumentPath, refusalAt } from './document-path.ts'
import { readStrictly } from './read-strictly.ts'

/** Sum of accounts, identities, policies, providers, keys, replicas, aliases, grants and access keys. */
const objectsMax = 2000

/**
 * The input member with the document. Its errors name a place in the document, for the author of the file.
 */
export const documentMember: Member<ApplyDocument, true> = required({
  ...structure({ accounts: list(structure({})) }),
  hidden: 'sensitive',
  read(value) {
    const document = readStrictly(documentShape, value)
    requireConsistent(document)
    return document
  },
})

/** @throws {KmsError} `ValidationException` */
function requireConsistent({ accounts }: ApplyDocument): void {
  requireOnce(accounts, ({ accountId }) => accountId, ['accounts'], 'accountId')
  const accessKeys = new Set<string>()
  let objects = 0
  for (const [index, account] of accounts.entries()) {
    const place = ['accounts', index]
    objects += requireConsistentAccount(account, place, accessKeys)
    if (objects > objectsMax) throw refusalAt(place, `more than ${objectsMax} objects in one file`)
  }
}

function requireConsistentAccount(
  account: AccountEntry,
  place: DocumentPath,
  accessKeys: Set<string>,
): number {
  const { policies = [], groups = [], users = [], roles = [], oidcProviders = [] } = account
  const { keys = [] } = account
  const folded = ({ name }: { readonly name: string }): string => name.toLowerCase()
  requireOnce(policies, folded, [...place, 'policies'], 'name')
  requireOnce(groups, folded, [...place, 'groups'], 'name')
  requireOnce(users, folded, [...place, 'users'], 'name')
  requireOnce(roles, folded, [...place, 'roles'], 'name')
  requireOnce(oidcProviders, ({ url }) => url, [...place, 'oidcProviders'], 'url')
  const owners = [
    { entry: account, at: place },
    ...users.map((entry, index) => ({ entry, at: [...place, 'users', index] })),
  ]
  for (const { entry, at } of owners) {
    for (const [index, { accessKeyId }] of (entry.accessKeys ?? []).entries()) {
      const named = [...at, 'accessKeys', index, 'accessKeyId']
      if (accessKeys.has(accessKeyId)) throw refusalAt(named, `\`${accessKeyId}\` appears twice`)
      if (accessKeyId.startsWith('ASIA') || accessKeyId.startsWith(serviceKeyPrefix)) {
        const message = 'ids with this prefix are reserved for temporary credentials and services'
        throw refusalAt(named, message)
      }
      accessKeys.add(accessKeyId)
    }
  }
  const identities = policies.length + groups.length + users.length + roles.length
  return 1 + identities + oidcProviders.length + accessKeys.size + countKeys(keys)
}

/**
 * Checks that no key appears twice in a Region, no alias twice in an account and Region, and no grant name
 * twice on a key.
 * @param defaultRegion the Region of keys without a `region`
 * @throws {KmsError} `ValidationException`
 */
export function requireKeysOnce({ accounts }: ApplyDocument, defaultRegion: string): void {
  for (const [index, { keys = [] }] of accounts.entries()) {
    const seen = new Set<string>()
    const once = (what: string, place: DocumentPath, said: string): void => {
      if (seen.has(what)) throw refusalAt(place, `\`${said}\` appears twice`)
      seen.add(what)
    }
    for (const [position, key] of keys.entries()) {
      const place = ['accounts', index, 'keys', position]
      const { keyId, region = defaultRegion } = key
      for (const [nth, entry] of [{ ...key, region }, ...(key.replicas ?? [])].entries()) {
        const at = nth === 0 ? place : [...place, 'replicas', nth - 1]
        once(`key ${entry.region} ${keyId}`, [...at, nth === 0 ? 'keyId' : 'region'], keyId)
        for (const [which, alias] of (entry.aliases ?? []).entries()) {
          once(`alias ${entry.region} ${alias}`, [...at, 'aliases', which], alias)
        }
        for (const [which, { name }] of (entry.grants ?? []).entries()) {
          once(`grant ${entry.region} ${keyId} ${name}`, [...at, 'grants', which, 'name'], name)
        }
      }
    }
  }
}

/** Counts keys and replicas with their aliases and grants. */
function countKeys(keys: readonly KeyEntry[]): number {
  return keys
    .flatMap((key) => [key, ...(key.replicas ?? [])])
    .reduce((sum, { aliases = [], grants = [] }) => sum + 1 + aliases.length + grants.length, 0)
}

function requireOnce<T>(
  entries: readonly T[],
  nameOf: (entry: T) => string,
  place: DocumentPath,
  member: string,
): void {
  const seen = new Set<string>()
  for (const [index, entry] of entries.entries()) {
    const name = nameOf(entry)
    if (seen.has(name)) throw refusalAt([...place, index, member], `\`${name}\` appears twice`)
    seen.add(name)
  }
}
