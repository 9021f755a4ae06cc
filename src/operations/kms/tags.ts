/**
 * Tags of a key: checks, changes, and the condition keys and permissions for them.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
 * @module
 */
import { KmsError } from '../../errors.ts'
import type { Tag } from '../../model/key.ts'
import type { Permission } from '../contract/operation.ts'
import type { ContextEntries } from '../contract/call.ts'

/** Maximum for one key, and therefore for one request. */
export const tagsMax = 50

/** @throws {KmsError} `TagException` for tags that no single request may set */
export function checkTags(tags: readonly Tag[]): void {
  if (new Set(tags.map((tag) => tag.TagKey)).size < tags.length) {
    throw new KmsError('TagException', 'Duplicate tag keys')
  }
  checkCount(tags)
  if (tags.some((tag) => tag.TagKey.toLowerCase().startsWith('aws:'))) {
    throw new KmsError('TagException', 'Tags beginning with aws: are reserved')
  }
}

function checkCount(tags: readonly Tag[]): void {
  if (tags.length > tagsMax) throw new KmsError('TagException', 'Too many tags')
}

/**
 * Merges `given` into `present`: present tags keep their position, new ones are appended.
 * @throws {KmsError} `TagException` when the key would have too many
 */
export function withTags(present: readonly Tag[], given: readonly Tag[]): readonly Tag[] {
  const values = new Map(present.map((tag) => [tag.TagKey, tag.TagValue]))
  for (const tag of given) values.set(tag.TagKey, tag.TagValue)
  const tags = [...values].map(([TagKey, TagValue]) => ({ TagKey, TagValue }))
  checkCount(tags)
  return tags
}

/** Removes the tags with these keys; unknown keys are ignored. */
export function withoutTags(present: readonly Tag[], keys: readonly string[]): readonly Tag[] {
  const gone = new Set(keys)
  return present.filter((tag) => !gone.has(tag.TagKey))
}

/** Whether the two lists hold the same tags in the same order. */
export function sameTags(one: readonly Tag[], other: readonly Tag[]): boolean {
  return (
    one.length === other.length &&
    one.every(
      (tag, index) =>
        tag.TagKey === other[index]?.TagKey && tag.TagValue === other[index]?.TagValue,
    )
  )
}

/**
 * The permission to tag a key that the call creates. The key has no id yet, so the resource is every key of
 * the account; a policy for some keys does not allow it.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/create-keys.html#create-key-permissions
 */
export function tagPermissions(tags: readonly Tag[] | undefined): readonly Permission[] {
  if (tags === undefined || tags.length === 0) return []
  return [{ action: 'kms:TagResource', kmsResource: 'key/*', unnamedResource: true }]
}

/**
 * `aws:RequestTag/<key>` for each tag, and `aws:TagKeys`.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html
 */
export function tagEntries(tags: readonly Tag[] | undefined): ContextEntries {
  if (tags === undefined || tags.length === 0) return {}
  const pairs = tags.map((tag) => [`aws:RequestTag/${tag.TagKey}`, tag.TagValue] as const)
  return { ...Object.fromEntries(pairs), 'aws:TagKeys': tags.map((tag) => tag.TagKey) }
}
