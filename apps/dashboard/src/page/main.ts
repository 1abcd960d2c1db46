import { Dashboard } from './dashboard.ts'

new Dashboard(document.body)
