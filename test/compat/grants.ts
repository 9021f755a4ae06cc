/** What the tests of grants share: two accounts, and the calls on a key that grants give. @module */
import assert from 'node:assert/strict'
import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { accountId, region } from '../harness.ts'
import { otherAccountId } from './accounts.ts'

export const ownerArn = `arn:aws:iam::${accountId}:root`
export const guestArn = `arn:aws:iam::${otherAccountId}:root`

export interface MadeGrant {
  readonly GrantId: string
  readonly GrantToken: string
}

export async function makeGrant(
  kms: KMSClient,
  input: Omit<CreateGrantCommandInput, 'Operations'> &
    Partial<Pick<CreateGrantCommandInput, 'Operations'>>,
): Promise<MadeGrant> {
  const Operations = ['Encrypt', 'Decrypt', 'DescribeKey'] as const
  const command = new CreateGrantCommand({
    Operations: [...Operations],
    ...(input.GranteeServicePrincipal === undefined && { GranteePrincipal: guestArn }),
    ...input,
  })
  const { GrantId, GrantToken } = await kms.send(command)
  assert(GrantId !== undefined && GrantToken !== undefined)
  assert.match(GrantId, /^[0-9a-f]{64}$/)
  assert(GrantToken.length <= 8192)
  return { GrantId, GrantToken }
}

/** The one text for a key that is not there and one that gives the other account nothing. */
export function hidden(action: string): string {
  return (
    `User: ${guestArn} is not authorized to perform: kms:${action} on this resource because the ` +
    'resource does not exist in this Region, no resource-based policies allow access, or a ' +
    'resource-based policy explicitly denies access'
  )
}

export const absentKey = `arn:aws:kms:${region}:${accountId}:key/00000000-0000-4000-8000-000000000000`
