/** Managed policies: customer's own, with up to five versions, of which one holds. @module */
import { formatArn, parseArn } from './arn.ts'
import type { IdentityTag } from './identity.ts'

export interface PolicyVersion {
  /** `v1`, `v2` and so on: never used again. */
  readonly versionId: string
  readonly document: string
  readonly createdAt: number
}

export interface ManagedPolicyRecord {
  /** `ANPA…`, unique for all time. */
  readonly policyId: string
  readonly accountId: string
  readonly name: string
  readonly path: string
  readonly description: string
  /** Oldest first; the default one is among them. */
  readonly versions: readonly PolicyVersion[]
  readonly defaultVersionId: string
  /** The number of the version that is made next. */
  readonly nextVersion: number
  /** Identities that it is attached to. */
  readonly attachments: number
  /** Identities that it is the permissions boundary of. */
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

/** Account, path and name of a managed policy's ARN; undefined for what is none. */
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

/** The document that holds; undefined never happens in a row that was made by us. */
export function defaultDocument({
  versions,
  defaultVersionId,
}: Pick<ManagedPolicyRecord, 'versions' | 'defaultVersionId'>): string | undefined {
  return versions.find(({ versionId }) => versionId === defaultVersionId)?.document
}
