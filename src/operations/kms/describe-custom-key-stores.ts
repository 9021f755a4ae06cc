/**
 * DescribeCustomKeyStores — shows the key stores of an account and Region, without their secrets.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeCustomKeyStores.html
 * @module
 */
import type {
  CustomKeyStoresListEntry,
  DescribeCustomKeyStoresRequest,
  DescribeCustomKeyStoresResponse,
} from '@aws-sdk/client-kms'
import type { CustomKeyStoreRecord } from '../../model/custom-key-store.ts'
import { integer } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { readPage } from '../contract/page.ts'
import { keyStoreName } from './key-store-members.ts'
import { invalid, notFound } from './key-stores.ts'
import { customKeyStoreId, marker } from './members.ts'

export const describeCustomKeyStores = operation<
  DescribeCustomKeyStoresRequest,
  DescribeCustomKeyStoresResponse
>()({
  name: 'DescribeCustomKeyStores',
  input: {
    CustomKeyStoreId: customKeyStoreId,
    CustomKeyStoreName: keyStoreName,
    Limit: integer({ min: 1, max: 1000 }),
    Marker: marker,
  },
  keys: {},
  permissions: () => [{ action: 'kms:DescribeCustomKeyStores' }],
  readOnly: true,
  audit: ['CustomKeyStoreId', 'CustomKeyStoreName', 'Limit', 'Marker'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'CustomKeyStoreNotFoundException',
    'InvalidMarkerException',
  ],
  check(input) {
    if (input.CustomKeyStoreId !== undefined && input.CustomKeyStoreName !== undefined) {
      throw invalid('You cannot specify both CustomKeyStoreId and CustomKeyStoreName.')
    }
  },
  async run({ input, caller: { accountId }, region, aboutKeyStore }, { store, pages }) {
    aboutKeyStore({})
    const { CustomKeyStoreId: id, CustomKeyStoreName: name } = input
    const all = await store.listKeyStores(accountId, region)
    const named = id ?? name
    const wanted = all.filter(
      (each) => named === undefined || each.storeId === id || each.name === name,
    )
    if (named !== undefined && wanted.length === 0) throw notFound(named)
    const { rows, paging } = await readPage(pages, {
      scope: ['DescribeCustomKeyStores', accountId, region, id, name],
      marker: input.Marker,
      limit: input.Limit ?? 100,
      read: async ({ after = '', limit }) =>
        wanted.filter(({ storeId }) => storeId > after).slice(0, limit),
      nameOf: ({ storeId }) => storeId,
    })
    return { CustomKeyStores: rows.map(entryOf), ...paging }
  },
})

function entryOf(record: CustomKeyStoreRecord): CustomKeyStoresListEntry {
  const { storeId, name, type, connection, connectionError, createdAt, proxy, cluster } = record
  return {
    CustomKeyStoreId: storeId,
    CustomKeyStoreName: name,
    CustomKeyStoreType: type,
    ...(cluster && {
      CloudHsmClusterId: cluster.clusterId,
      TrustAnchorCertificate: cluster.trustAnchor,
    }),
    ConnectionState: connection,
    ...(connectionError && { ConnectionErrorCode: connectionError }),
    CreationDate: new Date(createdAt),
    ...(proxy && {
      XksProxyConfiguration: {
        Connectivity: proxy.connectivity,
        AccessKeyId: proxy.accessKeyId,
        UriEndpoint: proxy.endpoint,
        UriPath: proxy.path,
        ...(proxy.vpcServiceName !== undefined && {
          VpcEndpointServiceName: proxy.vpcServiceName,
          VpcEndpointServiceOwner: proxy.vpcServiceOwner,
        }),
      },
    }),
  }
}
