import { createChart } from 'lightweight-charts'

createChart(document.body)
