/** The thread that reads and checks grants. `grant-reader.ts` starts it. @module */
import { turnKeys } from '../crypto/domain-keys.ts'
import { keyringIn } from '../crypto/open-deployment.ts'
import { systemRandom } from '../crypto/entropy.ts'
import { createStore } from '../store/bound-store.ts'
import { attachDatabase } from '../store/open.ts'
import { serveThread } from '../threads/thread.ts'
import type {
  GrantReaderQuestions,
  GrantThreadQuestions,
  GrantThreadSettings,
} from './grant-reader.ts'
import { readGrantsFrom } from './read-grants.ts'

serveThread<GrantThreadSettings, GrantThreadQuestions, GrantReaderQuestions>(
  ({ database, deployment }, reader) => {
    const keyring = keyringIn(deployment, systemRandom)
    const store = createStore(attachDatabase(database), keyring, {
      onForgedRow: (table, id) => void reader.ask('forged', { table, id }),
    })
    const readGrants = readGrantsFrom(store)
    return {
      turnKeys: (step) => turnKeys(keyring, step),
      read: ({ key, grantee }) => readGrants(key, grantee, (page) => reader.ask('page', page)),
    }
  },
)
