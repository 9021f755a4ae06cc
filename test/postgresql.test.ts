/**
 * Tests of other files once more, against servers whose data is in PostgreSQL. They are in one process, because
 * most of what a file costs is to load it. `npm run test:postgresql` runs all files of their folders.
 * @module
 */
import { test } from 'node:test'
import { skip } from './store/postgres/shared-server.ts'

/** Those that read and write the most kinds of rows for their time. */
const files = [
  'audit/delivery/gaps.test.ts',
  'compat/apply.test.ts',
  'compat/idle-keys.test.ts',
  'compat/key-deletion.test.ts',
  'compat/kms-aliases.test.ts',
  'compat/kms-grants.test.ts',
  'compat/kms-import.test.ts',
  'compat/kms-key-states.test.ts',
  'compat/kms-keys.test.ts',
  'compat/kms-multi-region.test.ts',
  'compat/kms-pagination.test.ts',
  'compat/kms-rotation.test.ts',
  'compat/lookup-events.test.ts',
  'compat/organizations.test.ts',
  'compat/resource-counts.test.ts',
  'compat/sts-assume-role.test.ts',
  'compat/tagging.test.ts',
]

if (skip === false) {
  // The harness reads it when it is loaded.
  process.env['TEST_DATABASE'] = 'postgresql'
  for (const file of files) await import(new URL(file, import.meta.url).href)
} else {
  test('servers on PostgreSQL do the same', { skip }, () => undefined)
}
