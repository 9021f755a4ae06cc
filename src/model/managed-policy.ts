/** Customer managed policies: up to five versions, one of which is the default. @module */
import { formatArn, parseArn } from './arn.ts'
import type { IdentityTag } from './identity.ts'

export interface PolicyVersion {
  /** `v1`, `v2` and so on; never reused. */
  readonly versionId: string
  readonly document: string
  readonly createdAt: number
}

export interface ManagedPolicyRecord {
  /** `ANPA…`, never reused. */
  readonly policyId: string
  readonly accountId: string
  readonly name: string
  readonly path: string
  readonly description: string
  /** Oldest first, including the default version. */
  readonly versions: readonly PolicyVersion[]
  readonly defaultVersionId: string
  /** The number of the next new version. */
  readonly nextVersion: number
  /** The number of identities that it is attached to. */
  readonly attachments: number
  /** The number of identities that have it as their permissions boundary. */
  readonly boundaries: number
  readonly tags: readonly IdentityTag[]
  readonly createdAt: number
  readonly updatedAt: number
  readonly rowVersion: number
}

export function managedPolicyArn(
  partition: string,
  { accountId, path, name }: Pick<ManagedPolicyRecord, 'accountId' | 'path' | 'name'>,
): string {
  const resource = `policy${path}${name}`
  return formatArn({ partition, service: 'iam', region: '', accountId, resource })
}

/** Account, path and name in the ARN of a managed policy; undefined for other text. */
export function readPolicyArn(text: string):
  | {
      readonly partition: string
      readonly accountId: string
      readonly path: string
      readonly name: string
    }
  | undefined {
  const arn = parseArn(text)
  if (arn?.service !== 'iam' || arn.region !== '') return undefined
  const parts = /^policy(\/(?:[^]*\/)?)([^/]+)$/.exec(arn.resource)
  const [, path = '', name = ''] = parts ?? []
  if (parts === null) return undefined
  return { partition: arn.partition, accountId: arn.accountId, path, name }
}

/** The document of the default version. Undefined only for a row that Trent did not write. */
export function defaultDocument({
  versions,
  defaultVersionId,
}: Pick<ManagedPolicyRecord, 'versions' | 'defaultVersionId'>): string | undefined {
  return versions.find(({ versionId }) => versionId === defaultVersionId)?.document
}
