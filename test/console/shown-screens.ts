/** Every screen of the console, and what can be opened on it. @module */
import type { Page } from 'playwright-core'
import type { Seeded } from './seeded.ts'

export interface Shown {
  readonly name: string
  /** Behind the Region in the address. */
  readonly path: string
  /** A text that is there once the screen has its data. */
  readonly text: string
  /** What opens it. */
  readonly act?: (page: Page) => Promise<void>
}

const key = (id: string, tab: string): string => `keys/${id}/${tab}`

export function screensOf(made: Seeded): readonly Shown[] {
  return [
    { name: 'overview', path: 'overview', text: 'Pending deletion' },
    { name: 'keys', path: 'keys', text: 'app/orders' },
    { name: 'aws-keys', path: 'aws-keys', text: 'No keys' },
    {
      name: 'keys-no-match',
      path: `keys?filter=${encodeURIComponent('{"tokens":[{"operator":":","value":"zzz"}]}')}`,
      text: 'Clear filter|No matches|No keys match',
    },
    { name: 'key-policy', path: key(made.symmetric, 'policy'), text: 'PutKeyPolicy|Enable IAM' },
    {
      name: 'key-policy-default',
      path: key(made.shared, 'policy'),
      text: 'Allow key administrators to delete this key',
    },
    {
      name: 'key-cryptography',
      path: key(made.symmetric, 'cryptography'),
      text: 'SYMMETRIC_DEFAULT',
    },
    {
      name: 'key-external',
      path: key(made.external, 'cryptography'),
      text: 'External key ID',
    },
    { name: 'key-material', path: key(made.symmetric, 'material'), text: 'Key materials' },
    { name: 'key-imported', path: key(made.imported, 'material'), text: 'Import key material' },
    { name: 'key-tags', path: key(made.symmetric, 'tags'), text: 'Add tag' },
    { name: 'key-aliases', path: key(made.symmetric, 'aliases'), text: 'Create new alias' },
    { name: 'key-grants', path: key(made.symmetric, 'grants'), text: 'user/alice' },
    { name: 'key-regionality', path: key(made.multiRegion, 'regionality'), text: 'Replica key' },
    { name: 'key-public', path: key(made.signing, 'publicKey'), text: 'BEGIN PUBLIC KEY' },
    { name: 'key-usage', path: key(made.symmetric, 'usage'), text: 'Latest calls with this key' },
    {
      name: 'key-access',
      path: key(made.shared, 'access'),
      text: 'the root user has every permission',
    },
    {
      name: 'key-missing',
      path: key('00000000-0000-0000-0000-000000000000', 'policy'),
      text: 'NotFoundException',
    },
    { name: 'stores', path: 'stores', text: 'Connected' },
    { name: 'activity', path: 'activity', text: 'Calls by time' },
    { name: 'trails', path: 'trails', text: 'records|trent-audit' },
    { name: 'try-it', path: `try?key=${made.symmetric}`, text: 'AWS CLI' },
    { name: 'server', path: 'server', text: 'Opens by itself' },
    { name: 'why', path: `why?request=${made.refused}`, text: 'If the call came now' },
    { name: 'no-such-page', path: 'nowhere', text: 'There is no such page' },
    ...wizard(),
  ]
}

const next = (page: Page): Promise<void> =>
  page.getByRole('button', { name: 'Next', exact: true }).click()

function wizard(): readonly Shown[] {
  const labels = async (page: Page): Promise<void> => {
    await next(page)
    await page.getByLabel('Alias', { exact: true }).fill('orders-2')
  }
  const admins = async (page: Page): Promise<void> => {
    await labels(page)
    await next(page)
  }
  const users = async (page: Page): Promise<void> => {
    await admins(page)
    await page.getByRole('checkbox', { name: 'alice' }).check()
    await next(page)
  }
  const review = async (page: Page): Promise<void> => {
    await users(page)
    await page.getByRole('checkbox', { name: 'bob' }).check()
    await next(page)
  }
  const path = 'create-key'
  return [
    {
      name: 'create-key',
      path,
      text: 'Regionality',
      act: (page) => page.getByRole('button', { name: 'Advanced options' }).click(),
    },
    { name: 'create-key-labels', path, text: 'Add tag', act: labels },
    { name: 'create-key-admins', path, text: 'alice', act: admins },
    { name: 'create-key-users', path, text: 'Other AWS accounts', act: users },
    { name: 'create-key-policy', path, text: 'key-consolepolicy-3', act: review },
  ]
}

/** Clicks a button, and waits for the dialog of that name or another. */
const opens =
  (button: string, dialog = button) =>
  async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: button, exact: true }).first().click()
    await page.getByRole('dialog', { name: dialog }).waitFor()
  }

const chooses =
  (menu: string | RegExp, item: string) =>
  async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: menu }).first().click()
    await page.getByRole('menuitem', { name: item, exact: true }).click()
    await page.getByRole('dialog', { name: item }).waitFor()
  }

export function dialogsOf(made: Seeded): readonly Shown[] {
  const deletion = chooses('Key actions', 'Schedule key deletion')
  return [
    {
      name: 'dialog-deletion',
      path: key(made.symmetric, 'policy'),
      text: 'Last used',
      act: deletion,
    },
    {
      name: 'dialog-import',
      path: key(made.imported, 'material'),
      text: 'The file never leaves',
      act: opens('Import key material'),
    },
    {
      name: 'dialog-rotation',
      path: key(made.symmetric, 'material'),
      text: 'Automatically rotate',
      act: opens('Edit', 'Automatic rotation'),
    },
    {
      name: 'dialog-grant',
      path: key(made.symmetric, 'grants'),
      text: 'Encryption context that calls must contain',
      act: opens('Create grant'),
    },
    {
      name: 'dialog-replica',
      path: key(made.multiRegion, 'regionality'),
      text: 'A replica has the same key ID',
      act: opens('Create replica key'),
    },
    {
      name: 'dialog-store',
      path: 'stores',
      text: 'Proxy configuration file',
      act: opens('Create key store'),
    },
    {
      name: 'dialog-store-hsm',
      path: 'stores',
      text: 'Password of kmsuser',
      async act(page) {
        await opens('Create key store')(page)
        await page.getByRole('radio', { name: 'CloudHSM' }).check()
      },
    },
    {
      name: 'dialog-store-edit',
      path: 'stores',
      text: 'Disconnect it to change',
      async act(page) {
        await page.getByRole('radio', { name: 'vault' }).check()
        await chooses('Actions', 'Edit key store')(page)
      },
    },
    {
      name: 'dialog-record',
      path: 'activity',
      text: 'eventVersion',
      act: (page) =>
        page
          .getByRole('button', { name: /^Show record/ })
          .first()
          .click(),
    },
    {
      name: 'dialog-columns',
      path: 'keys',
      text: 'Wrap lines|Page size',
      act: (page) => page.getByRole('button', { name: 'Preferences' }).click(),
    },
    {
      name: 'dialog-role',
      path: 'server',
      text: 'Session name|Role',
      act: chooses(/^Account /, 'Switch role'),
    },
  ]
}
