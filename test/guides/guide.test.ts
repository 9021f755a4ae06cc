/** How guides are followed: what must make such a test fail. @module */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../start/serve-process.ts'
import { followGuide } from './guide.ts'

test('a guide is refused that prints, fails, or has blocks, other than it says', async (t) => {
  const folder = temporaryFolder(t)
  const follow = async (
    page: string,
    options: Parameters<typeof followGuide>[3] = {},
  ): Promise<unknown> => {
    const file = join(folder, 'page.md')
    writeFileSync(file, page)
    return followGuide(t, file, [], options)
  }
  const page = [
    '    word=hello',
    '',
    'Then',
    '',
    '```sh',
    '# say.sh',
    'echo "$1 at 12:00"',
    '```',
    '',
    '    bash say.sh "$word" | tee said',
    '    sort said',
    '',
    '```text',
    'hello at …',
    '…',
    '```',
    '',
    '    false',
    '    true',
    '',
  ].join('\n')
  const fails = ['false']
  await follow(page, { fails })
  await assert.rejects(follow(page), /false/)
  await assert.rejects(follow(page, { fails: [...fails, 'word'] }), /word=hello/)
  await assert.rejects(follow(page.replace('hello at', 'bye at'), { fails }), /something else/)
  await assert.rejects(follow(page.replace('…\n```', '```'), { fails }), /something else/)
  await assert.rejects(follow(page, { fails, notRun: { 'git push': 'a server' } }), /git push/)
  await assert.rejects(follow(page, { fails, stands: { 'say.sh': 'cry.sh', said: '/' } }))
  await assert.rejects(follow(page.replace('# say.sh\n', ''), { fails }), /its name in a comment/)
})
