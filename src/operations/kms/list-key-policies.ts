/**
 * ListKeyPolicies — lists the policy names of a key: always `default`.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyPolicies.html
 * @module
 */
import type { ListKeyPoliciesRequest, ListKeyPoliciesResponse } from '@aws-sdk/client-kms'
import { anyState } from '../../model/key-state.ts'
import { integer } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { marker, requiredKeyId } from './members.ts'
import { onlyPolicyName } from './policy-name.ts'

export const listKeyPolicies = operation<ListKeyPoliciesRequest, ListKeyPoliciesResponse>()({
  name: 'ListKeyPolicies',
  // AWS accepts a limit and a marker, and ignores both.
  input: { KeyId: requiredKeyId, Limit: integer({ min: 1, max: 1000 }), Marker: marker },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:ListKeyPolicies',
      crossAccount: false,
      states: anyState,
    },
  },
  readOnly: true,
  audit: ['KeyId', 'Limit', 'Marker'],
  throws: ['InvalidArnException', 'NotFoundException', 'AccessDeniedException'],
  async run() {
    return { PolicyNames: [onlyPolicyName], Truncated: false }
  },
})
