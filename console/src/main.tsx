/** Starts the console in its page. @module */
// oxlint-disable-next-line import/no-unassigned-import -- the style sheet of every component
import '@cloudscape-design/global-styles/index.css'
// oxlint-disable-next-line import/no-unassigned-import -- the console's own few rules
import './console.css'
import { I18nProvider } from '@cloudscape-design/components/i18n'
import messages from '@cloudscape-design/components/i18n/messages/all.en'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createAws } from './aws/aws.ts'
import { noteLatency } from './aws/latency.ts'
import { createSession } from './aws/session.ts'
import { App } from './shell/app.tsx'

noteLatency()
const session = createSession()
const aws = createAws(session)
const element = document.getElementById('root')
if (element === null) throw new Error('the page has no root')
createRoot(element).render(
  <StrictMode>
    <I18nProvider locale="en" messages={[messages]}>
      <App aws={aws} session={session} />
    </I18nProvider>
  </StrictMode>,
)
