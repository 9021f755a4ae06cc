/**
 * Input members of IAM operations with their limits, and the checks of their characters. IAM checks lengths
 * like every service, but has its own messages for characters; so shapes hold no patterns here.
 * Source: the `iam-2010-05-08` model.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { integer, list, required, structure, text } from '../../model/shape.ts'
import { tagPattern, type IdentityTag } from '../../model/identity.ts'

/** A user's name, in the operations in which AWS's model limits it to 64 characters. */
export const newUserName = text({ min: 1, max: 64 })
export const userName = text({ min: 1, max: 128 })
export const groupName = text({ min: 1, max: 128 })
export const path = text({ min: 1, max: 512 })
export const policyName = text({ min: 1, max: 128 })
export const policyDocument = text({ min: 1, max: 131_072 })
export const policyArn = text({ min: 20, max: 2048 })
export const versionId = text({ min: 1, max: 32 })
export const accessKeyId = text({ min: 16, max: 128 })
export const accountAlias = text({
  min: 3,
  max: 63,
  pattern: '^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$',
})
export const tag = structure({
  Key: required(text({ min: 1, max: 128 })),
  Value: required(text({ min: 0, max: 256 })),
})
export const tags = list(tag, { max: 50 })
export const tagKeys = list(text({ min: 1, max: 128 }), { max: 50 })
/** IAM limits markers to 320 characters. Trent's are encrypted and longer. */
export const marker = text({ min: 1, max: 1024 })
export const maxItems = integer({ min: 1, max: 1000 })

export const roleName = text({ min: 1, max: 64 })
export const roleDescription = text({
  max: 1000,
  pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*',
})
/** Seconds. */
export const maxSessionDuration = integer({ min: 3600, max: 43_200 })

const namePattern = /^[\w+=,.@-]+$/
const pathPattern = /^\/(?:[\x21-\x7e]+\/)?$/
const pathPrefixPattern = /^\/[\x21-\x7f]*$/

/** @param member its name in messages, for example `userName` @throws {KmsError} `ValidationException` */
export function checkName(member: string, value: string | undefined): void {
  if (value === undefined || namePattern.test(value)) return
  throw invalid(
    member,
    'It must contain only alphanumeric characters and/or the following: +=,.@_-',
  )
}

/** @throws {KmsError} `ValidationException` */
export function checkPath(value: string | undefined): void {
  if (value === undefined || pathPattern.test(value)) return
  throw invalid(
    'path',
    'It must begin and end with / and contain only alphanumeric characters and/or / characters.',
  )
}

/** @throws {KmsError} `ValidationException` */
export function checkPathPrefix(value: string | undefined): void {
  if (value === undefined || pathPrefixPattern.test(value)) return
  throw invalid('pathPrefix', 'It must begin with / and contain only alphanumeric characters.')
}

/** @throws {KmsError} `ValidationException`, `InvalidInputException` */
export function checkTags(given: readonly IdentityTag[] = []): void {
  const seen = new Set<string>()
  for (const { Key, Value } of given) {
    if (!tagPattern.test(Key)) throw invalid('tagKey', 'It holds characters that are not allowed.')
    if (!tagPattern.test(Value)) {
      throw invalid('tagValue', 'It holds characters that are not allowed.')
    }
    const folded = Key.toLowerCase()
    if (folded.startsWith('aws:')) {
      throw new KmsError('InvalidInputException', 'Tag keys that start with aws: are reserved.')
    }
    if (seen.has(folded)) {
      throw new KmsError(
        'InvalidInputException',
        'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
      )
    }
    seen.add(folded)
  }
}

function invalid(member: string, rule: string): KmsError {
  return new KmsError(
    'ValidationException',
    `The specified value for ${member} is invalid. ${rule}`,
  )
}
