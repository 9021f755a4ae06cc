/**
 * UpdateOpenIDConnectProviderThumbprint — replaces a provider's thumbprints.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateOpenIDConnectProviderThumbprint.html
 * @module
 */
import type { UpdateOpenIDConnectProviderThumbprintRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkProviderArn,
  oidcProviderOf,
  providerArn,
  providerPermission,
  thumbprints,
  thumbprintsOf,
} from './oidc-provider.ts'

export const updateOpenIdConnectProviderThumbprint = iamOperation<
  UpdateOpenIDConnectProviderThumbprintRequest,
  void
>()({
  name: 'UpdateOpenIDConnectProviderThumbprint',
  input: { OpenIDConnectProviderArn: required(providerArn), ThumbprintList: required(thumbprints) },
  permissions: ({ OpenIDConnectProviderArn: arn }) =>
    providerPermission('iam:UpdateOpenIDConnectProviderThumbprint', arn),
  readOnly: false,
  audit: ['OpenIDConnectProviderArn', 'ThumbprintList'],
  throws: ['InvalidInputException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ OpenIDConnectProviderArn: arn }) => checkProviderArn(arn),
  async run(call) {
    const given = thumbprintsOf(call.input.ThumbprintList)
    await call.commit(async (transaction) => {
      const { OpenIDConnectProviderArn: arn } = call.input
      const provider = await oidcProviderOf(arn, call, transaction)
      await transaction.updateOidcProvider(provider, { thumbprints: given })
    })
  },
})
