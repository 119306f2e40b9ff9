import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { readAlertWork, reportAlertWork } from './evaluate-alert.ts';
import { listAlerts, readAlertEvents, requireAlert } from './read-alerts.ts';
import { createAlert, createTextAlert, trashAlert, updateAlert, updateTextAlert } from './save-alert.ts';
import { toAlertDocument, toTextAlertDocument } from './wire.ts';

type Names = Extract<keyof typeof routes, `alert${string}` | `textAlert${string}`>;

export function createAlertHandlers(
  services: Pick<Services, 'db' | 'clock' | 'config'>,
): Pick<Handlers<typeof routes, RequestContext>, Names> {
  const { db } = services;
  return {
    alertsCreate: async (request, context) => toAlertDocument(await createAlert(services, request, context)),
    async alertsList(request) {
      const { rows, next } = await listAlerts(db, 'query', request);
      return { results: rows.map(toAlertDocument), ...next };
    },
    alertsGet: async ({ id }) => toAlertDocument(await requireAlert(db, id, { form: 'query' })),
    alertsUpdate: async (request, context) => toAlertDocument(await updateAlert(services, request, context)),
    async alertsDelete({ id }, context) {
      await trashAlert(services, id, { form: 'query' }, context);
      return {};
    },
    textAlertsCreate: async (request, context) =>
      toTextAlertDocument(await createTextAlert(services, request, context)),
    async textAlertsList(request) {
      const { rows, next } = await listAlerts(db, 'text', request);
      return { alerts: rows.map(toTextAlertDocument), ...next };
    },
    textAlertsGet: async ({ id }) => toTextAlertDocument(await requireAlert(db, id, { form: 'text' })),
    textAlertsUpdate: async (request, context) =>
      toTextAlertDocument(await updateTextAlert(services, request, context)),
    async textAlertsTrash({ id, purge = false }, context) {
      await trashAlert(services, id, { form: 'text', isPurged: purge }, context);
      return {};
    },
    alertEventsList: (request) => readAlertEvents(db, request),
    alertWorkGet: ({ id }, { attemptId }) => readAlertWork(services, { alertId: id, attemptId }),
    alertWorkReport: (report, { attemptId }) =>
      reportAlertWork(services, { alertId: report.id, attemptId }, report),
  };
}
