/** boto3, in Python test cases of its own (`boto3/*.py`), each against a server of its own. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients

const suites = [
  ['paginators.py', 'boto3 pages through keys, aliases, tags and policies'],
  ['errors.py', 'boto3 raises modeled errors by class and others by code'],
  ['values.py', 'boto3 reads bytes, dates and text as they were meant'],
  ['roles.py', 'boto3 makes roles, reads their documents, pages through them, and ends them'],
  [
    'identities.py',
    'boto3 manages users, boundaries, tags, the alias of the account, and sessions',
  ],
  ['grants.py', 'boto3 makes grants, pages through them, and ends them'],
  ['trail.py', 'boto3 looks events up, page by page'],
  ['watch.py', 'boto3 lists metrics and reads them, page by page'],
  ['skewed_clock.py', 'boto3 with a skewed clock is refused'],
] as const

for (const [file, sentence] of suites) {
  test(sentence, { skip }, async (t) => {
    const { shell } = await openWorkplace(t, clients)
    const { status, stderr } = await shell(`python '${join(import.meta.dirname, 'boto3', file)}'`)
    assert.equal(status, 0, stderr)
    assert.match(stderr, /^Ran [1-9]\d* tests? in /m)
    assert.match(stderr, /^OK$/m)
  })
}
