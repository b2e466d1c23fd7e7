from django.urls import path

from dashboard import api

urlpatterns = [
    path("dashboard/definitions/", api.DefinitionsView.as_view(), name="dashboard-definitions"),
    path("dashboard/period/", api.PeriodView.as_view(), name="dashboard-period"),
    path("dashboard/portfolio/", api.PortfolioView.as_view(), name="dashboard-portfolio"),
    path("dashboard/series/", api.SeriesView.as_view(), name="dashboard-series"),
    path("dashboard/frequency/", api.FrequencyView.as_view(), name="dashboard-frequency"),
    path("dashboard/rankings/", api.RankingsView.as_view(), name="dashboard-rankings"),
    path("dashboard/concentration/", api.ConcentrationView.as_view(), name="dashboard-concentration"),
    path("dashboard/delay/", api.DelayView.as_view(), name="dashboard-delay"),
    path("dashboard/triangle/", api.TriangleView.as_view(), name="dashboard-triangle"),
    path("dashboard/loss-ratio/", api.LossRatioView.as_view(), name="dashboard-loss-ratio"),
    path("dashboard/renewal/", api.RenewalView.as_view(), name="dashboard-renewal"),
    path("dashboard/prices/", api.PricesView.as_view(), name="dashboard-prices"),
    path("dashboard/left-out/", api.LeftOutView.as_view(), name="dashboard-left-out"),
    path("dashboard/left-out/claims/", api.LeftOutClaimsView.as_view(), name="dashboard-left-out-claims"),
    path("dashboard/quality/", api.QualityView.as_view(), name="dashboard-quality"),
    path("dashboard/watch-list/", api.WatchListView.as_view(), name="dashboard-watch-list"),
    path("dashboard/watch-list/seen/", api.SeenView.as_view(), name="dashboard-watch-list-seen"),
    path("dashboard/files/", api.FilesView.as_view(), name="dashboard-files"),
    path("dashboard/import-sessions/", api.SessionsView.as_view(), name="dashboard-import-sessions"),
]
