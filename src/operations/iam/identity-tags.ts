/** Changes of the tags of a user or a role; keys that differ in case only are one. @module */
import { KmsError } from '../../errors.ts'
import type { IdentityTag } from '../../model/identity.ts'

const tagsMax = 50

/**
 * The tags with `given` added, or in the place of those of their keys.
 * @throws {KmsError} `LimitExceededException`
 */
export function withTags(
  tags: readonly IdentityTag[],
  given: readonly IdentityTag[],
): readonly IdentityTag[] {
  const merged = new Map(tags.map((tag) => [tag.Key.toLowerCase(), tag]))
  for (const tag of given) merged.set(tag.Key.toLowerCase(), tag)
  if (merged.size <= tagsMax) return [...merged.values()]
  const message = 'The number of tags has reached the maximum limit.'
  throw new KmsError('LimitExceededException', message)
}

/** The tags without those of `keys`; keys of none are no failure. */
export function withoutTags(
  tags: readonly IdentityTag[],
  keys: readonly string[],
): readonly IdentityTag[] {
  const gone = new Set(keys.map((key) => key.toLowerCase()))
  return tags.filter(({ Key }) => !gone.has(Key.toLowerCase()))
}

export function sameTags(one: readonly IdentityTag[], other: readonly IdentityTag[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
