# The charts, each one gnuplot script.
plotdir = $(pkgdatadir)/plots
dist_plot_DATA = \
	plots/arena.gp \
	plots/burden.gp \
	plots/common.gpi \
	plots/layers.gp \
	plots/memory.gp \
	plots/modules.gp \
	plots/picture.gpi \
	plots/tradeoff.gp
