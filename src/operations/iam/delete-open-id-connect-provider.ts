/**
 * DeleteOpenIDConnectProvider — deletes a provider. Its tokens no longer give access; trust
 * policies that name it stay as they are.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteOpenIDConnectProvider.html
 * @module
 */
import type { DeleteOpenIDConnectProviderRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkProviderArn,
  oidcProviderOf,
  providerArn,
  providerPermission,
} from './oidc-provider.ts'

export const deleteOpenIdConnectProvider = iamOperation<DeleteOpenIDConnectProviderRequest, void>()(
  {
    name: 'DeleteOpenIDConnectProvider',
    input: { OpenIDConnectProviderArn: required(providerArn) },
    permissions: ({ OpenIDConnectProviderArn: arn }) =>
      providerPermission('iam:DeleteOpenIDConnectProvider', arn),
    readOnly: false,
    audit: ['OpenIDConnectProviderArn'],
    throws: ['InvalidInputException', 'AccessDeniedException', 'NoSuchEntityException'],
    check: ({ OpenIDConnectProviderArn: arn }) => checkProviderArn(arn),
    async run(call) {
      await call.commit(async (transaction) => {
        const { OpenIDConnectProviderArn: arn } = call.input
        await transaction.deleteOidcProvider(await oidcProviderOf(arn, call, transaction))
      })
    },
  },
)
