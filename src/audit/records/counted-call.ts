/**
 * What an audit record counts as, for usage and metrics: one request of KMS, and the change that the
 * caller or the service made to a key's life.
 * @module
 */
import type { CountedFacts, KeyTurn } from '../../model/usage.ts'

type Given = Readonly<Record<string, unknown>>

/** Returns undefined if the record is neither a request of KMS nor an event in a key's life. */
export function countedCall<Owner extends Pick<CountedFacts, 'accountId' | 'region'>>(
  record: Given,
  place: Owner,
): (CountedFacts & Owner) | undefined {
  if (record['eventSource'] !== 'kms.amazonaws.com') return undefined
  const isCall = record['eventType'] === 'AwsApiCall'
  const succeeded = record['errorCode'] === undefined
  const keyArns = keyArnsOf(record['resources'])
  const turns = succeeded ? turnsOf(record, keyArns) : []
  if (!isCall && turns.length === 0) return undefined
  const { accountId: callerAccountId } = members(record['userIdentity'])
  return {
    ...place,
    operation: operationOf(record),
    keyArns,
    request: isCall,
    own: callerAccountId === undefined || callerAccountId === place.accountId,
    succeeded,
    turns,
  }
}

/** Data key pairs are charged for by their spec, which the key's record does not have. */
function operationOf(record: Given): string {
  const name = String(record['eventName'])
  const { keyPairSpec } = members(record['requestParameters'])
  return typeof keyPairSpec === 'string' ? `${name} ${keyPairSpec}` : name
}

function keyArnsOf(resources: unknown): readonly string[] {
  if (!Array.isArray(resources)) return []
  return resources.flatMap((resource: unknown) => {
    const { type, ARN: arn } = members(resource)
    // The resources hold aliases next to the keys that they point to.
    const isKey = type === 'AWS::KMS::Key' && typeof arn === 'string' && arn.includes(':key/')
    return isKey ? [arn] : []
  })
}

/** The state to which each operation brings its key; a state in the response takes precedence. */
const states: Readonly<Record<string, string>> = {
  CancelKeyDeletion: 'Disabled',
  CreateKey: 'Enabled',
  DeleteExpiredKeyMaterial: 'PendingImport',
  DeleteImportedKeyMaterial: 'PendingImport',
  DeleteKey: 'Deleted',
  DisableKey: 'Disabled',
  EnableKey: 'Enabled',
  ImportKeyMaterial: 'Enabled',
  ScheduleKeyDeletion: 'PendingDeletion',
}

function turnsOf(record: Given, keyArns: readonly string[]): readonly KeyTurn[] {
  const operation = String(record['eventName'])
  const [keyArn] = keyArns
  const usual = states[operation]
  if (keyArn === undefined) return []
  if (operation === 'RotateKey') return [{ keyArn, state: 'Rotated' }]
  if (usual === undefined) return []
  const response = members(record['responseElements'])
  const { keyState, keySpec, keyManager } = members(response['keyMetadata'])
  const said = keyState ?? response['keyState']
  return [
    {
      keyArn,
      state: typeof said === 'string' ? said : usual,
      ...(typeof keySpec === 'string' && { spec: keySpec }),
      ...(typeof keyManager === 'string' && { manager: keyManager }),
    },
  ]
}

function members(value: unknown): Given {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
