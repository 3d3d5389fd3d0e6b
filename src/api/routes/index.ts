/**
 * api: every route there is.
 */
import type { AnyRoute } from '../route.js';
import { backupRoutes } from './backups.js';
import { configRoutes } from './config.js';
import { eventRoutes } from './events.js';
import { executeRoutes } from './execute.js';
import { monitoringRoutes } from './monitoring.js';
import { restoreRoutes } from './restore.js';
import { scheduleRoutes } from './schedules.js';

export const routes: readonly AnyRoute[] = [
  ...configRoutes,
  ...executeRoutes,
  ...eventRoutes,
  ...monitoringRoutes,
  ...backupRoutes,
  ...restoreRoutes,
  ...scheduleRoutes,
];
