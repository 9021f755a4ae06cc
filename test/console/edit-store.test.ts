/** An external key store in the console: edited while it is connected and not, and behind a VPC endpoint service. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeCustomKeyStoresCommand } from '@aws-sdk/client-kms'
import type { Locator, Page } from 'playwright-core'
import {
  connect,
  disconnect,
  entryOf,
  makeStore,
  startExternalWorld,
  storeSettings,
} from '../compat/external-store.ts'
import { proxyCredential, proxyHost } from '../keystores/external/fake-proxy.ts'
import { openPage, signIn, workplace } from './browser.ts'

const { get } = workplace()
const service = 'com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0'
const unknownService = 'com.amazonaws.vpce.us-west-2.vpce-svc-0000000000000000a'

async function openEditor(page: Page, name: string): Promise<Locator> {
  await page.getByRole('radio', { name }).check()
  await page.getByRole('button', { name: 'Actions' }).click()
  await page.getByRole('menuitem', { name: 'Edit key store' }).click()
  const dialog = page.getByRole('dialog', { name: 'Edit key store' })
  await dialog.waitFor()
  return dialog
}

test('an external key store is edited: what a connected one can change, and the rest of another', async (t) => {
  const workplaces = get(t)
  if (workplaces === undefined) return
  const world = await startExternalWorld(t, { by: [proxyHost, service] })
  const { server, kms } = world
  const place = { browser: workplaces.browser, server }
  const store = await makeStore(kms, { CustomKeyStoreName: 'vault' })
  assert.equal(await connect(world, store), 'CONNECTED')
  const { page, expect } = await openPage(place)
  expect(/status of 400/)
  await signIn(page, place, undefined, 'stores')
  const dialog = await openEditor(page, 'vault')
  const field = (label: string): Locator => dialog.getByLabel(label, { exact: true })
  const save = dialog.getByRole('button', { name: 'Save changes' })
  await dialog.getByText('The store is connected. Disconnect it').waitFor()
  assert.equal(await field('Proxy URI endpoint').isDisabled(), true)
  assert.equal(await dialog.getByRole('radio', { name: 'VPC endpoint service' }).isDisabled(), true)
  assert.equal(await save.isDisabled(), true, 'nothing is changed')
  await field('Access key ID of the proxy').fill('ZYXWVUTSRQPONMLKJIHG')
  assert.equal(await save.isDisabled(), true, 'another access key without its secret')
  await field('Secret access key of the proxy').fill('z'.repeat(43))
  await save.click()
  await dialog.getByText('XksProxyIncorrectAuthenticationCredentialException').waitFor()
  await dialog.getByText(/^Request id/).waitFor()
  // What was typed stays. The right credential again, and another name, with the keyboard alone.
  await field('Access key ID of the proxy').fill(proxyCredential.AccessKeyId)
  await field('Secret access key of the proxy').fill(proxyCredential.RawSecretAccessKey)
  await field('Name of the store').focus()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('safe')
  await save.focus()
  await page.keyboard.press('Enter')
  await page.getByText('The store is changed').waitFor()
  await page.getByRole('row').filter({ hasText: 'safe' }).getByText('Connected').waitFor()
  assert.equal((await entryOf(kms, store)).CustomKeyStoreName, 'safe')

  await disconnect(world, store)
  await page.reload()
  await signIn(page, place, undefined, 'stores')
  await openEditor(page, 'safe')
  assert.equal(await field('Secret access key of the proxy').inputValue(), '', 'no secret is shown')
  await dialog.getByRole('radio', { name: 'VPC endpoint service' }).check()
  assert.equal(await save.isDisabled(), true, 'the name of the service is missing')
  await field('Name of the VPC endpoint service').fill(unknownService)
  await save.click()
  await dialog.getByText('XksProxyVpcEndpointServiceNotFoundException').waitFor()
  await field('Name of the VPC endpoint service').fill(service)
  await save.click()
  await dialog.waitFor({ state: 'hidden' })
  const { XksProxyConfiguration: proxy } = await entryOf(kms, store)
  assert.deepEqual(proxy, {
    Connectivity: 'VPC_ENDPOINT_SERVICE',
    AccessKeyId: proxyCredential.AccessKeyId,
    UriEndpoint: storeSettings.XksProxyUriEndpoint,
    UriPath: storeSettings.XksProxyUriPath,
    VpcEndpointServiceName: service,
    VpcEndpointServiceOwner: '111122223333',
  })
  assert.equal(await connect(world, store), 'CONNECTED')
})

test('a key store behind a VPC endpoint service is created by the name of the service', async (t) => {
  const workplaces = get(t)
  if (workplaces === undefined) return
  const world = await startExternalWorld(t, { by: [service] })
  const { server, kms } = world
  const place = { browser: workplaces.browser, server }
  const { page, expect } = await openPage(place)
  expect(/status of 400/)
  await signIn(page, place, undefined, 'stores')
  await page.getByRole('button', { name: 'Create key store' }).click()
  const dialog = page.getByRole('dialog')
  const field = (label: string): Locator => dialog.getByLabel(label, { exact: true })
  const create = dialog.getByRole('button', { name: 'Create key store' })
  await field('Name of the store').fill('private')
  await dialog.getByRole('radio', { name: 'VPC endpoint service' }).check()
  await field('Proxy URI endpoint').fill(String(storeSettings.XksProxyUriEndpoint))
  await field('Proxy URI path').fill(String(storeSettings.XksProxyUriPath))
  await field('Access key ID of the proxy').fill(proxyCredential.AccessKeyId)
  await field('Secret access key of the proxy').fill(proxyCredential.RawSecretAccessKey)
  assert.equal(await create.isDisabled(), true, 'the name of the service is missing')
  await field('Name of the VPC endpoint service').fill('vpce-svc')
  await create.click()
  await dialog.getByText('ValidationException').waitFor()
  await field('Name of the VPC endpoint service').fill(unknownService)
  await create.click()
  await dialog.getByText('XksProxyVpcEndpointServiceNotFoundException').waitFor()
  await dialog.getByText('cannot find the VPC endpoint service').waitFor()
  await field('Name of the VPC endpoint service').fill(service)
  await create.click()
  await page.getByText('The store is created. Connect it to use it.').waitFor()
  await page.getByRole('row').filter({ hasText: 'private' }).getByText('Disconnected').waitFor()
  const { CustomKeyStores: [made] = [] } = await kms.send(new DescribeCustomKeyStoresCommand())
  assert.equal(made?.XksProxyConfiguration?.VpcEndpointServiceName, service)
  assert.equal(await connect(world, made?.CustomKeyStoreId ?? ''), 'CONNECTED')
})
