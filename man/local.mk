dist_man_MANS += \
	man/lplan-analyze.1 \
	man/lplan-check.1 \
	man/lplan-device.5 \
	man/lplan-diff.1 \
	man/lplan-dump.1 \
	man/lplan-fill.1 \
	man/lplan-list.1 \
	man/lplan-model.5 \
	man/lplan-operators.7 \
	man/lplan-plan.1 \
	man/lplan-planner.7 \
	man/lplan-plot.1 \
	man/lplan-run.1 \
	man/lplan-schedule.1 \
	man/lplan-schedule.5 \
	man/lplan-solve.1 \
	man/lplan.1
