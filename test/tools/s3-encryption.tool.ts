/** The S3 Encryption Client for Python, in test cases of its own, with an S3 that it brings along. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openWorkplace } from '../compat/workplace.ts'
import { programsIn } from './programs.ts'

const python = await programsIn('python')

test('the S3 Encryption Client seals objects and opens them', { skip: python.skip }, async (t) => {
  const { shell } = await openWorkplace(t, python)
  const script = join(python.folder, 'encrypted_objects.py')
  // Only KMS is elsewhere than it was: the other services stay where the client looks for them.
  const only = 'export AWS_ENDPOINT_URL_KMS="$AWS_ENDPOINT_URL"; unset AWS_ENDPOINT_URL'
  const run = `'${python.folder}/venv/bin/python' '${script}'`
  const { status, stderr } = await shell(`${only}; ${run}`)
  assert.equal(status, 0, stderr)
  assert.match(stderr, /^Ran 4 tests in /m)
  assert.match(stderr, /^OK$/m)
})
